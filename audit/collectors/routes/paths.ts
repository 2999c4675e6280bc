/** One address from its parts, with parameters as `:name` whatever the framework writes. */
export function joined(...parts: (string | undefined)[]): string {
  const path = parts
    .map(it => (it ?? '').replace(/^\^|\$$/g, '').replace(/^\/+|\/+$/g, ''))
    .filter(Boolean)
    .join('/')
  return `/${plain(path)}`
}

const plain = (path: string) =>
  path
    .replace(/\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)/g, ':$1')
    .replace(/<(?:\w+(?:\([^)]*\))?:)?(\w+)>/g, ':$1')
    .replace(/<model\("[^"]*"\):(\w+)>/g, ':$1')
    .replace(/\{(\w+):([a-z_]\w*)\??\}/gi, ':$1_$2')
    .replace(/\{(\w+)(?::[^}]*)?\??\}/g, ':$1')
    .replace(/\[\[?(?:\.\.\.)?(\w+)(?:=\w+)?\]\]?/g, ':$1')
    .replace(/\/\?$|\\/g, '')
    .replace(/\(:(?:num|any|segment|alpha\w*)\)/g, ':id')
    .replace(/\/+/g, '/')
