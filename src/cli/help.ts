import { roles } from '../crm/crm.ts'

/** A command as `--help` shows it. */
export interface Help {
  /** What comes after `portico`. */
  usage: string
  about: string
  options: Option[]
  example: string
  more?: string
}

interface Option {
  /** With its value: `--out FILE`. */
  flag: string
  about: string
  /** What holds if it is left out. */
  default?: string
}

/** Where a command finds the CRM and Portico's database. */
const where: Option[] = [
  { flag: '--config FILE', about: 'the configuration', default: 'portico.config.ts or portico.config.js here' },
  { flag: '--map FILE', about: 'a map in its place, with addresses from the environment', default: 'none' },
]

const workspace: Option = { flag: '--workspace SLUG', about: 'the workspace, by its name in addresses' }

/** All commands of Portico's own. A plugin's are below its name. */
export const helps: Record<string, Help> = {
  audit: {
    usage: 'audit [--source DIR] [--database URL] [--url URL]',
    about: 'looks at a CRM, changes nothing, and writes a report; one of the three inputs is enough',
    options: [
      { flag: '--source DIR', about: 'the directory of the CRM’s source' },
      { flag: '--database URL', about: 'postgresql://, mysql:// or mariadb://, of a role that may read' },
      { flag: '--url URL', about: 'where the CRM runs; asked by HEAD and GET only' },
      { flag: '--out FILE', about: 'the report', default: 'AUDIT_REPORT.md' },
      { flag: '--json FILE', about: 'the same for machines; answers recorded in it are kept', default: 'audit.json' },
      { flag: '--map FILE', about: 'drafts a map as well, of the database or else of the source', default: 'none' },
      { flag: '--ask', about: 'asks in the terminal what decides most, and records the answers with your name' },
      { flag: '--quiet', about: 'prints nothing' },
    ],
    example: 'portico audit --source ../crm --database postgresql://reader@db/crm --map crm.map.ts',
    more: 'Exit status 1 if something that was given could not be looked at; the report is written all the same.',
  },
  doctor: {
    usage: 'doctor [--grants]',
    about: 'says what is wrong, which grants the portal’s role needs, and which indexes would help',
    options: [...where, { flag: '--grants', about: 'prints only the grants, as SQL' }],
    example: 'portico doctor --map crm.map.ts --grants | psql "$CRM"',
  },
  migrate: {
    usage: 'migrate',
    about: 'creates Portico’s own tables, or brings them up to date',
    options: where,
    example: 'portico migrate --map crm.map.ts',
  },
  rollback: {
    usage: 'rollback --destroy [--without-evidence]',
    about: 'removes Portico’s tables with all that they hold',
    options: [
      ...where,
      { flag: '--destroy', about: 'says that you mean it; without it nothing happens' },
      { flag: '--without-evidence', about: 'even where signatures are not in any export' },
    ],
    example: 'portico rollback --destroy',
  },
  enable: {
    usage: 'enable [--audit FILE] [--by NAME]',
    about: 'accepts the audit and switches the portal on, if every check passes',
    options: [
      ...where,
      { flag: '--audit FILE', about: 'the audit that you have read', default: 'audit.json' },
      { flag: '--by NAME', about: 'who accepts it', default: 'your user name here' },
    ],
    example: 'portico enable --map crm.map.ts --by "Mia Larsen"',
  },
  disable: {
    usage: 'disable',
    about: 'switches the portal off for every workspace',
    options: where,
    example: 'portico disable',
  },
  invite: {
    usage: 'invite --workspace SLUG --client ID --email ADDRESS',
    about: 'makes an invitation and prints its link',
    options: [
      ...where,
      workspace,
      { flag: '--client ID', about: 'the client, by its id in the CRM' },
      { flag: '--email ADDRESS', about: 'who is invited' },
      { flag: '--role ROLE', about: roles.join(', '), default: 'admin' },
      { flag: '--name NAME', about: 'their name', default: 'that of the CRM’s contact' },
      { flag: '--from NAME', about: 'who invites', default: 'Your contact' },
      { flag: '--crm-password', about: 'no link: they sign in with the password that the CRM knows' },
    ],
    example: 'portico invite --workspace acme --client 42 --email nadia@bakery.example',
  },
  prune: {
    usage: 'prune',
    about: 'deletes ended sessions, expired links and registrations that nobody confirmed; run it once a day',
    options: where,
    example: 'portico prune',
  },
  reseal: {
    usage: 'reseal [--lost]',
    about: 'seals anew with the first of PORTAL_SECRETS what older ones sealed',
    options: [...where, { flag: '--lost', about: 'goes on without a secret that nobody has any more' }],
    example: 'PORTAL_SECRETS="new old" portico reseal',
  },
  serve: {
    usage: 'serve --map FILE',
    about: 'runs the portal as an app of its own, beside a CRM that is no Express app',
    options: [{ flag: '--map FILE', about: 'the map of the CRM' }],
    example: 'PORT=3000 portico serve --map crm.map.ts',
    more: `STOP_NOTICE and STOP_LIMIT: the seconds that it waits for a proxy and for requests when it is told to stop (3, 30).
PORT and HOST: where it listens (3000, 127.0.0.1). TRUST_PROXY: the proxies before it. METRICS_TOKEN: who may read the metrics.
GEOIP_DATABASE: a MaxMind DB file, by which people see where their devices are.
REPLY_ADDRESS: an address that takes replies to mails, such as reply@in.example; they arrive by REPLY_IMAP, such as imaps://user:password@host/INBOX,
or by a webhook with REPLY_WEBHOOK_SECRET. REPLY_AUTHSERV: the mail server whose Authentication-Results are believed.
FILES_FOLDER: where uploaded files are stored; or FILES_S3_BUCKET, with FILES_S3_REGION, FILES_S3_ENDPOINT, FILES_S3_PREFIX and
FILES_S3_PATH_STYLE=true as the service needs them, and the key where the AWS SDK looks for it.
FILES_ENCRYPTED=true: they are stored encrypted, by the secrets; new: those of before are read as well. CLAMAV_URL: a clamd that scans them, such as tcp://127.0.0.1:3310.
DIRECT_DATABASE_URL: past a pooler, for the job queue. PREPARED_STATEMENTS=false: behind a pooler that keeps no names.`,
  },
  'staff add': {
    usage: 'staff add --workspace SLUG --email ADDRESS --name NAME',
    about: 'adds somebody who looks after the portal of serve, by the password in STAFF_PASSWORD',
    options: [
      ...where,
      workspace,
      { flag: '--email ADDRESS', about: 'by which they sign in' },
      { flag: '--name NAME', about: 'what they are called' },
      { flag: '--member', about: 'may see the settings and change nothing', default: 'may change everything' },
    ],
    example: 'STAFF_PASSWORD=... portico staff add --workspace acme --email mia@acme.example --name "Mia Larsen"',
  },
  'staff reset-factor': {
    usage: 'staff reset-factor --workspace SLUG --email ADDRESS',
    about: 'takes every second factor off somebody who lost phone and recovery codes, and signs them out',
    options: [...where, workspace, { flag: '--email ADDRESS', about: 'whose they are' }],
    example: 'portico staff reset-factor --workspace acme --email mia@acme.example',
  },
  verify: {
    usage: 'verify FILE [--certificate SHA-256]',
    about: 'says whether an evidence bundle is whole; asks no database',
    options: [{ flag: '--certificate SHA-256', about: 'the company’s key, by its fingerprint', default: 'any key' }],
    example: 'portico verify evidence/000001-0193.json',
  },
  export: {
    usage: 'export --workspace SLUG [--out DIR]',
    about: 'writes an evidence bundle for each answer of a workspace',
    options: [...where, workspace, { flag: '--out DIR', about: 'where to', default: 'evidence' }],
    example: 'portico export --workspace acme --out evidence',
  },
}

const environment = `With --map, addresses come from the environment: DATABASE_URL (as owner), PORTAL_DATABASE_URL (as the portal's role),
CRM_DATABASE_URL (if the CRM is in another database), PORTAL_ADDRESS (for links), PORTAL_SECRET, or PORTAL_SECRETS with
the newest first and spaces between them; SMTP_URL and MAIL_FROM where mail is to be sent.`

const exitStatus = 'Exit status: 0 good, 1 problem found, 2 wrong usage.'

/** The list of all commands. */
export const usage = [
  'portico <command> [options]; portico <command> --help says what it takes',
  ['', ...Object.entries(helps).map(([name, { about }]) => `  ${name.padEnd(20)} ${about}`)].join('\n'),
  environment,
  exitStatus,
]
  .join('\n\n')
  .replace('\n\n\n', '\n\n')

/** What `portico <command> --help` prints; of several where only the first word of them is named. */
export function helpOf(named: string): string | undefined {
  const names = Object.keys(helps).filter(it => it === named || (named && it.startsWith(`${named} `)))
  return names.length ? names.map(it => formatHelp(helps[it]!)).join('\n\n\n') : undefined
}

function formatHelp({ usage, about, options, example, more }: Help): string {
  const lines = options.map(it => {
    const otherwise = it.default ? ` (${it.default})` : ''
    return `  ${it.flag.padEnd(22)} ${it.about}${otherwise}`
  })
  const takesMap = options === where || where.every(it => options.includes(it))
  return [
    `Usage: portico ${usage}`,
    capital(`${about}.`),
    `Options, with what holds if they are left out:\n\n${lines.join('\n')}`,
    ...(more ? [more] : []),
    ...(takesMap ? [environment] : []),
    `Example:\n\n  ${example}`,
    exitStatus,
  ].join('\n\n')
}

/** The same of a plugin's command, which says what it is about. */
export const pluginHelp = (name: string, about: string): string =>
  [`Usage: portico [--config FILE] ${name} ...`, capital(`${about}.`), exitStatus].join('\n\n')

const capital = (text: string) => text[0]!.toUpperCase() + text.slice(1)
