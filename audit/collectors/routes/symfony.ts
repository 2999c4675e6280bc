import type { Route } from '../../model.ts'
import type { Classes, ClassText } from '../classes.ts'
import { literals } from '../text.ts'
import type { SourceFile } from '../tree.ts'
import { joined } from './paths.ts'

/** Routes of Symfony by attribute or annotation, with the prefix of the class and what `security.yaml` asks for. */
export function symfonyRoutes(files: SourceFile[], classes: Classes): Route[] {
  const rules = files.filter(it => /security\.ya?ml$/.test(it.path)).flatMap(it => accessRules(it.text))
  return classes
    .all()
    .filter(it => it.file.path.endsWith('.php') && /#\[(\w+\\)*Route\(|@(\w+\\)*Route\(/.test(it.file.text))
    .flatMap(it => controller(it, rules))
}

function controller(it: ClassText, rules: Rule[]): Route[] {
  const head = it.file.text.slice(0, it.file.text.indexOf(`class ${it.name}`))
  const own = routeIn(head.slice(Math.max(head.lastIndexOf(';'), 0)))
  const granted = grants(head)
  return it.methods().flatMap(method => {
    const place = routeIn(method.before)
    if (!place) return []
    const path = joined(own?.path, place.path)
    const rule = rules.find(one => one.path.test(path))
    const guards = [...granted, ...grants(method.before), ...grants(method.text), ...(rule?.roles ?? [])]
    return place.methods.map(verb => ({
      method: verb,
      path,
      guards: guards.filter(one => !/PUBLIC_ACCESS|ANONYMOUSLY/.test(one)),
      ...(guards.some(one => /PUBLIC_ACCESS|ANONYMOUSLY/.test(one)) && { open: true }),
      handler: `${it.name}::${method.name}`,
      body: method.text,
      at: `${it.file.path}:${method.line}`,
    }))
  })
}

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

interface Rule {
  path: RegExp
  roles: string[]
}

function accessRules(text: string): Rule[] {
  return [...text.matchAll(/path:\s*['"]?(\^?[^'",}\s]+)['"]?[\s,]+roles?:\s*(\[[^\]]*\]|[\w']+)/g)].flatMap(it => {
    try {
      return [{ path: new RegExp(it[1]!), roles: it[2]!.match(/\w+/g) ?? [] }]
    } catch {
      return []
    }
  })
}
