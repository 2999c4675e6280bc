import { byDate, byNoDate, filesOf, onMap } from './files.ts'

export interface Suite {
  name: string
  /** Seconds that it may take in `.ci/run`, on two quiet cores beside another suite. */
  budget: number
  /** `always`: part of each `.ci/run`. `turn`: where what it is about has changed, and by the commit's hash. */
  when: 'always' | 'turn'
  files(): string[]
  /** Folders and files that it is about, beside what its tests import by name. */
  about?: string[]
  /** Test files side by side, 1 unless it is said. */
  jobs?: number
  /** Seconds for a single test that names none itself, 60 unless it is said. */
  timeout?: number
  /** It starts what it needs itself: none of `test/database.ts`. */
  alone?: boolean
  /** Of Debian. */
  packages?: string[]
  env?: Record<string, string>
  /** In `npm run proof`, which tries everything. */
  whole?: Record<string, string>[]
}

const named = (name: string, more: Omit<Suite, 'name' | 'files'>): Suite => ({
  name,
  files: () => filesOf(name),
  ...more,
})

/** All suites but `npm test`. A test file is in one of them by its name; `map` and `days` run those of others once more. */
export const suites: Suite[] = [
  named('long', { budget: 200, when: 'always', jobs: 2 }),
  named('pages', { budget: 240, when: 'always', whole: [{ PORTICO_PAGES: 'all' }] }),
  named('denials', {
    budget: 90,
    when: 'always',
    env: { PORTICO_ADAPTER: 'map' },
    whole: [{}, { PORTICO_ADAPTER: 'map' }],
  }),
  named('plugins', { budget: 90, when: 'always', about: ['plugins'], whole: [{ PORTICO_DELETED: 'each' }] }),
  named('kill', { budget: 210, when: 'always', about: ['src/evidence'], whole: [{ PORTICO_KILLS: '100' }] }),
  named('faults', {
    ...{ budget: 150, when: 'always', alone: true },
    packages: ['nginx', 'pgbouncer', 'faketime'],
    env: { PORTICO_ADAPTER: 'map' },
    whole: [{ PORTICO_ADAPTER: 'map', PORTICO_FAULTS_SECONDS: '60', PORTICO_FAULTS_CLIENTS: '200' }],
  }),
  named('package', { budget: 120, when: 'always', alone: true, whole: [{ PORTICO_HOSTS: 'all' }] }),
  named('newcomer', { budget: 150, when: 'always', alone: true, whole: [{ PORTICO_NEWCOMERS: 'all' }] }),
  named('alone', { budget: 130, when: 'turn', jobs: 2, about: ['src/serve', 'src/cli'] }),
  named('attack', {
    budget: 320,
    when: 'turn',
    timeout: 600,
    packages: ['wapiti', 'sqlmap'],
    whole: [{ PORTICO_IDS: 'all' }],
  }),
  named('audit', { budget: 60, when: 'turn', about: ['audit'], packages: ['mariadb-server'] }),
  named('backup', { budget: 40, when: 'turn', about: ['migrations'], packages: ['postgresql'] }),
  named('browser', { budget: 100, when: 'turn', jobs: 2, about: ['assets'] }),
  named('crms', { budget: 100, when: 'turn', about: ['src/crm', 'docs/crms'], timeout: 300 }),
  named('pooler', { budget: 50, when: 'turn', about: ['src/platform/database.ts'], packages: ['pgbouncer'] }),
  named('proxy', { budget: 110, when: 'turn', about: ['src/serve'], packages: ['nginx', 'caddy'] }),
  named('replies', { budget: 130, when: 'turn', about: ['src/mail'], packages: ['dovecot-imapd'] }),
  named('seal', { budget: 20, when: 'turn', about: ['src/evidence', 'src/pdf'], packages: ['poppler-utils'] }),
  named('viruses', { budget: 50, when: 'turn', about: ['src/files'], packages: ['clamav-daemon'] }),
  named('volume', { budget: 180, when: 'turn', about: ['migrations'] }),
  {
    ...{ name: 'map', budget: 240, when: 'turn', jobs: 2, files: onMap },
    ...{ about: ['src/crm/mapping', 'demo/adapter'], env: { PORTICO_ADAPTER: 'map' } },
  },
  {
    name: 'days',
    budget: 240,
    when: 'always',
    jobs: 2,
    files: () => [...byDate(), ...byNoDate()],
    packages: ['faketime'],
  },
]
