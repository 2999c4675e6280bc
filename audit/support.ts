import type { Facts, Table } from './model.ts'
import { anyName } from './patterns.ts'

/** Whether the portal can run on the CRM's database, with a sentence for the report. */
export interface Support {
  /** `unknown`: nothing that was looked at says which database it is. */
  portal: 'yes' | 'no' | 'unknown'
  sentence: string
  /** Whether `--database` can look at it. */
  auditable: boolean
}

/** What this version of Portico supports. The database itself tells best, then the drivers in the manifests. */
export function supportOf({ database, packages, tables }: Facts): Support {
  if (database) return ofDatabase(database)
  const named = drivers.filter(([, pattern]) => packages.some(it => pattern.test(it.name)))
  const kinds = named.map(([kind]) => kind)
  if (!kinds.length && isMysql(tables))
    return { portal: 'no', auditable: true, sentence: `Its SQL is written for MySQL or MariaDB. ${auditOnly}` }
  if (!kinds.length)
    return {
      portal: 'unknown',
      auditable: true,
      sentence: `Nothing says which database the CRM uses. ${runsOn} Try it with --database.`,
    }
  const where = named.map(([, pattern]) => packages.find(it => pattern.test(it.name))!.at)
  const said = `The manifests name drivers of ${kinds.join(', of ')} (${where.join(', ')}).`
  if (kinds.includes('PostgreSQL'))
    return { portal: kinds.length === 1 ? 'yes' : 'unknown', auditable: true, sentence: `${said} ${runsOn}` }
  const auditable = kinds.some(it => it.startsWith('MySQL'))
  return { portal: 'no', auditable, sentence: `${said} ${auditable ? auditOnly : sourceOnly}` }
}

function ofDatabase({ kind, version }: NonNullable<Facts['database']>): Support {
  const name = `${kind} ${version}`
  if (kind !== 'PostgreSQL')
    return { portal: 'no', auditable: true, sentence: `Your database is ${name}. ${auditOnly}` }
  if (Number.parseInt(version, 10) < 14)
    return {
      portal: 'no',
      auditable: true,
      sentence: `Your database is ${name}, which is too old: the portal needs PostgreSQL 14.`,
    }
  return {
    portal: 'yes',
    auditable: true,
    sentence: `Your database is ${name}: supported. The portal can read and write it.`,
  }
}

const runsOn = 'The portal runs on PostgreSQL 14 or newer.'
const auditOnly =
  'This version can audit MySQL and MariaDB and draft a map of them. It cannot run the portal on them yet: that needs PostgreSQL 14 or newer.'
const sourceOnly =
  'This version can audit such a CRM by its source alone, and cannot run the portal on it: that needs PostgreSQL 14 or newer.'

/** Whether several columns have types that only MySQL and MariaDB know. */
const isMysql = (tables: Table[]) => tables.flatMap(it => it.columns).filter(it => mysqlType.test(it.type)).length > 3

const mysqlType =
  /^(int|tinyint|smallint|bigint|mediumint)\(\d+\)|^(mediumtext|longtext|tinytext|mediumblob|longblob)\b/i

/** Packages that only a program on this kind of database asks for. */
const drivers: [kind: string, packageName: RegExp][] = [
  [
    'PostgreSQL',
    anyName('pg postgres pg-promise asyncpg ext-pgsql ext-pdo_pgsql', /psycopg\w*(-binary)?|@neondatabase\/.+/),
  ],
  ['MySQL or MariaDB', anyName('mysql mysql2 mariadb mysqlclient pymysql aiomysql trilogy ext-mysqli ext-pdo_mysql')],
  ['MongoDB', anyName('mongoose mongodb pymongo mongoid mongoengine')],
  ['SQLite', anyName('sqlite3 better-sqlite3 aiosqlite ext-sqlite3 ext-pdo_sqlite')],
  ['SQL Server', anyName('mssql tedious pyodbc')],
  ['Oracle', anyName('oracledb cx_oracle')],
]
