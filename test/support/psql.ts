import { execFile } from 'node:child_process'
import { questdbQuery } from './questdb.ts'

/** QuestDB over the Postgres wire protocol, as analysts and Grafana have it. */

/** The URL of the user who may only read. */
export async function analystsUrl(questdbUrl: string): Promise<string> {
  const [row] = await questdbQuery(
    questdbUrl,
    `select value from (show parameters) where property_path = 'pg.net.bind.to'`,
  )
  const port = String(row?.[0]).split(':').at(-1)!
  return `postgres://user:quest@${new URL(questdbUrl).hostname}:${port}/qdb`
}

/** Runs one statement by the real psql. @throws With psql's words where it is refused. */
export function psql(url: string, statement: string): Promise<readonly Record<string, string>[]> {
  return new Promise((resolve, reject) => {
    const args = ['-X', '--csv', '-v', 'ON_ERROR_STOP=1', '-c', statement, url]
    execFile('psql', args, { maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (error !== null) reject(new Error(`${stderr}\n${statement}`))
      else resolve(parseCsv(stdout))
    })
  })
}

/** No text of a test has a comma or a line break in it. */
function parseCsv(text: string): readonly Record<string, string>[] {
  const [head, ...lines] = text.trimEnd().split('\n')
  const names = head!.split(',')
  return lines.map((line) => {
    const cells = line.split(',')
    return Object.fromEntries(names.map((name, i) => [name, cells[i]!]))
  })
}

const NAMES = [
  ...['readings', 'windows', 'windows_1h', 'windows_1d', 'baselines', 'anomalies'],
  ...['meters', 'locations', 'dr_deltas', 'totals'],
]
const TABLE = new RegExp(`\\b(FROM|JOIN)(\\s+)(${NAMES.join('|')})\\b`, 'g')

/** The same statement on a test's tables. */
export function onTables(statement: string, prefix: string): string {
  return statement.replace(TABLE, (_, word, space, name) => `${word}${space}${prefix}${name}`)
}
