// Prints, as JSON, the answers of the audit of a source tree and the names it read there: tables, columns, addresses.
import { readSource } from '../audit/collectors/source.ts'
import { combine } from '../audit/combine.ts'
import { judge } from '../audit/judgement/judge.ts'

const facts = combine([await readSource(process.argv[2]!, () => {})])
const tables = facts.tables.flatMap(it => [it.name, ...it.columns.map(column => column.name)])
const names = [...new Set([...tables, ...facts.routes.map(it => it.path)])]
console.log(JSON.stringify({ answers: judge(facts).answers, names }))
