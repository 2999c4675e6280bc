import type { Package } from '../model.ts'
import { lineAt } from './text.ts'
import type { SourceFile } from './tree.ts'

/** What the manifests ask for: npm, Composer, Bundler, pip, Poetry, Maven, Gradle, Go, Mix and NuGet. */
export function readPackages(files: SourceFile[]): Package[] {
  return files.flatMap(file => {
    const { path, text } = file
    const patterns = manifests.find(([name]) => name.test(path))?.[1]
    if (!patterns) return []
    const scope = /\.json$/.test(path)
      ? text.replace(/"(scripts|keywords|files)"\s*:\s*[{[][^}\]]*[}\]]/g, it => it.replace(/[^\n]/g, ' '))
      : text
    return [...scope.matchAll(patterns)].map(it => ({
      name: it[1]!.toLowerCase(),
      at: `${path}:${lineAt(text, it.index)}`,
    }))
  })
}

const manifests: [RegExp, RegExp][] = [
  [/(^|\/)(package|composer)\.json$/, /"((?:@[\w.-]+\/)?[\w.-]+(?:\/[\w.-]+)?)"\s*:\s*"[\^~><=*\dv|]/g],
  [/(^|\/)pom\.xml$/, /<artifactId>\s*([\w.-]+)/g],
  [/(^|\/)[\w-]+\.gradle(\.kts)?$/, /["'][\w.-]+:([\w.-]+)(?=[:"'])/g],
  [/(^|\/)go\.mod$/, /^\s*(?:require\s+)?([\w.-]+\.\w+\/[\w./-]+)\s+v/gm],
  [/(^|\/)mix\.exs$/, /\{:(\w+),/g],
  [/\.csproj$/, /PackageReference\s+Include="([\w.-]+)/g],
  [/(^|\/)Gemfile$|\.gemspec$/, /^\s*gem\s+["']([\w-]+)/gm],
  [/(^|\/)requirements[\w-]*\.txt$/, /^([A-Za-z][\w.-]+)/gm],
  [/(^|\/)(pyproject\.toml|Pipfile)$/, /^\s*["']?([A-Za-z][\w.-]+)["']?\s*(?:[=~<>!]|["'],?$)/gm],
]
