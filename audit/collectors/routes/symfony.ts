import type { Route } from '../../model.ts'
import type { Classes, ClassText } from '../classes.ts'
import { closing, lineAt, literal, literals, masked, parts } from '../text.ts'
import type { SourceFile } from '../tree.ts'
import { joined } from './paths.ts'

/** Routes of Symfony: by attribute or annotation, in PHP and YAML files with the prefixes of their imports, under access rules. */
export function symfonyRoutes(files: SourceFile[], classes: Classes): Route[] {
  const rules = files.filter(it => /security\.(ya?ml|php)$/.test(it.path)).flatMap(it => accessRules(it.text))
  const configured = files.filter(
    it =>
      /RoutingConfigurator/.test(it.text) || /(^|\/)(routes|routing)[^/]*\.ya?ml$|\/routes\/.*\.ya?ml$/.test(it.path),
  )
  const prefixes = configured.flatMap(importsOf)
  return [
    ...classes
      .all()
      .filter(it => it.file.path.endsWith('.php') && /#\[(\w+\\)*Route\(|@(\w+\\)*Route\(/.test(it.file.text))
      .flatMap(it => controller(it, rules)),
    ...configured.flatMap(it => routesIn(it, prefixOf(it, prefixes), rules, classes)),
  ]
}

function controller(it: ClassText, rules: Rule[]): Route[] {
  const head = it.file.text.slice(0, it.file.text.indexOf(`class ${it.name}`))
  const own = routeIn(head.slice(Math.max(head.lastIndexOf(';'), 0)))
  const granted = grants(head)
  return it.methods().flatMap(method => {
    const place = routeIn(method.before)
    if (!place) return []
    const path = joined(own?.path, place.path)
    const shared = { path, ...guarded(path, [...granted, ...grants(method.before), ...grants(method.text)], rules) }
    return place.methods.map(verb => ({
      ...shared,
      method: verb,
      handler: `${it.name}::${method.name}`,
      body: method.text,
      at: `${it.file.path}:${method.line}`,
    }))
  })
}

function guarded(path: string, granted: string[], rules: Rule[]): { guards: string[]; open?: boolean } {
  const rule = rules.find(one => one.path.test(path.replace(/:\w+/g, sample)))
  const guards = [...granted, ...(rule?.roles ?? [])]
  const open = guards.some(it => /PUBLIC_ACCESS|ANONYMOUS/.test(it))
  return { guards: guards.filter(it => !/PUBLIC_ACCESS|ANONYMOUS/.test(it)), ...(open && { open }) }
}

/** Rules ask for the form of a parameter: most take a UUID. */
const sample = '0b5e7c1a-1111-4222-8333-444455556666'

function routeIn(text: string): { path: string; methods: string[] } | undefined {
  const found = [...text.matchAll(/(?:#\[|@)(?:\w+\\)*Route\(([\s\S]*?)\)\s*\]?\s*(?=\n|$|#)/g)].at(-1)?.[1]
  if (found === undefined) return undefined
  const path =
    found.match(/^\s*(?:path\s*[:=]\s*)?["']([^"']*)/)?.[1] ?? found.match(/path\s*[:=]\s*["']([^"']*)/)?.[1] ?? ''
  const methods = literals(found.match(/methods\s*[:=]\s*([[{][^\]}]*|["'][A-Z]+["'])/)?.[1] ?? '')
  return { path, methods: methods.length ? methods : ['ANY'] }
}

const grants = (text: string) =>
  [
    ...text.matchAll(/IsGranted\(\s*["']?([\w:]+)|@Security\(\s*"([^"]*)|denyAccessUnlessGranted\(\s*['"]?([\w:]+)/g),
  ].map(it => it[1] ?? it[2] ?? it[3]!)

/** Which file a configuration imports, and under which prefix. */
function importsOf({ path, text }: SourceFile): { of: string; prefix: string }[] {
  if (!path.endsWith('.php'))
    return [...text.matchAll(/resource:\s*['"]?([^\s'"]+)['"]?([\s\S]{0,120}?)(?=\n\S|$)/g)].map(it => ({
      of: it[1]!,
      prefix: it[2]!.match(/prefix:\s*['"]?([^\s'"]+)/)?.[1] ?? '',
    }))
  return [...text.matchAll(/->import\(\s*['"]([^'"]+)['"][^;]*?\)([^;]*);/g)].map(it => ({
    of: it[1]!,
    prefix: it[2]!.match(/->prefix\(\s*['"]([^'"]*)/)?.[1] ?? '',
  }))
}

/** `@AcmeQuoteBundle/config/routing.php` names a file by the end of its path, and its bundle by a part of it. */
function prefixOf({ path }: SourceFile, imports: { of: string; prefix: string }[]): string {
  const matching = imports.filter(it => {
    const [first = '', ...rest] = it.of.replace(/^(\.\.?\/)+/, '').split('/')
    const bundle = first.startsWith('@') ? first.slice(1) : ''
    return bundle
      ? path.endsWith(`/${rest.join('/')}`) && path.split('/').some(part => part !== '' && bundle.endsWith(part))
      : rest.length > 0 && path.endsWith(`${first}/${rest.join('/')}`)
  })
  return matching[0]?.prefix ?? ''
}

function routesIn(file: SourceFile, prefix: string, rules: Rule[], classes: Classes): Route[] {
  const declared = file.path.endsWith('.php') ? inPhp(file) : inYaml(file)
  return declared.map(({ path, action, methods, at }) => {
    const [name = '', method = '__invoke'] = action.split('::')
    const full = joined(prefix, path)
    const made = classes.find(name, file.path.slice(0, file.path.lastIndexOf('/')))
    return {
      method: methods[0] ?? 'ANY',
      path: full,
      ...guarded(full, grants(made?.method(method)?.text ?? ''), rules),
      handler: `${name}::${method}`,
      body: made?.method(method)?.text ?? '',
      at: `${file.path}:${at}`,
    }
  })
}

function inPhp({ text }: SourceFile) {
  const mask = masked(text)
  return [...mask.matchAll(/->add\(/g)].map(match => {
    const open = match.index + match[0].length - 1
    const chain = text.slice(closing(mask, open), mask.indexOf(';', open))
    const named = chain.match(/->controller\(\s*\[?\s*(?:['"])?([\w\\]+)(?:::class)?['"]?(?:\s*,\s*['"](\w+))?/)
    return {
      path: literal(parts(text, mask, open)[1]) ?? '',
      action: `${named?.[1]?.split('\\').at(-1) ?? ''}${named?.[2] ? `::${named[2]}` : ''}`,
      methods: literals(chain.match(/->methods\(([^)]*)/)?.[1] ?? ''),
      at: lineAt(text, match.index),
    }
  })
}

const inYaml = ({ text }: SourceFile) =>
  [...text.matchAll(/^[\w.]+:\s*\n((?:[ \t]+.*\n?)+)/gm)].flatMap(it => {
    const path = it[1]!.match(/^\s+path:\s*['"]?([^\s'"]+)/m)?.[1]
    const action = it[1]!.match(/(?:controller|_controller):\s*['"]?([\w\\:]+)/)?.[1]
    return path
      ? [
          {
            path,
            action: action?.split('\\').at(-1) ?? '',
            methods: it[1]!.match(/methods:\s*\[?\s*['"]?(\w+)/)?.slice(1) ?? [],
            at: lineAt(text, it.index),
          },
        ]
      : []
  })

interface Rule {
  path: RegExp
  roles: string[]
}

function accessRules(text: string): Rule[] {
  const yaml = [...text.matchAll(/path:\s*['"]?(\^?[^'",}\s]+)['"]?[\s,]+roles?:\s*(\[[^\]]*\]|[\w']+)/g)].map(it => ({
    pattern: it[1]!,
    roles: it[2]!.match(/\w+/g) ?? [],
  }))
  const php = [...text.matchAll(/accessControl\(\)\s*->path\(([\s\S]*?)\)\s*->roles\(([^)]*)\)/g)].map(it => ({
    pattern: literals(it[1]!).join(''),
    roles: literals(it[2]!),
  }))
  return [...yaml, ...php].flatMap(it => compiled(it.pattern, it.roles))
}

function compiled(pattern: string, roles: string[]): Rule[] {
  try {
    return [{ path: new RegExp(pattern), roles }]
  } catch {
    return []
  }
}
