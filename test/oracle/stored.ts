import { setTimeout as sleep } from 'node:timers/promises'
import type { AnomalyRow, BaselineRow, OracleRows, RawRow } from './oracle.ts'
import type { Row } from './series.ts'

/**
 * What QuestDB really holds, and how far it is from what the oracle says. Read by plain HTTP and
 * SQL.
 */

type Fields = Record<string, number | string | boolean | null>

const PAGE_ROWS = 100_000

/** In pages, each read whole before it is parsed: QuestDB lets go of a reader that lingers. */
async function* csvRows(questdbUrl: string, query: string): AsyncGenerator<string[]> {
  for (let at = 0; ; at += PAGE_ROWS) {
    const text = await csvPage(questdbUrl, `${query} limit ${at}, ${at + PAGE_ROWS}`)
    const lines = text.trimEnd().split('\n').slice(1)
    // No value of the tests holds a comma or a quote, so that the form stays this plain.
    for (const line of lines) yield line.trimEnd().replaceAll('"', '').split(',')
    if (lines.length < PAGE_ROWS) return
  }
}

async function csvPage(questdbUrl: string, query: string): Promise<string> {
  const url = new URL('/exp', questdbUrl)
  url.searchParams.set('query', query)
  const headers = { authorization: `Basic ${btoa(`${url.username}:${url.password}`)}` }
  url.username = url.password = ''
  for (let tries = 1; ; tries++) {
    const response = await fetch(url, { headers })
    const text = await response.text()
    if (response.ok) return text
    // It answers 429 while other tests ask for as much at once.
    if (response.status !== 429 || tries === 60) {
      throw new Error(`QuestDB answers ${response.status} to ${query}: ${text}`)
    }
    await sleep(1_000)
  }
}

const number = (text: string): number | null => (text === '' ? null : Number(text))

async function table(
  questdbUrl: string,
  name: string,
  key: readonly string[],
  columns: readonly string[],
  toFields: (cells: readonly string[]) => Fields,
): Promise<Map<string, Fields>> {
  const select = ['tenant', 'meter_id', 'channel', 'cast(ts as long) at', ...key, ...columns]
  const rows = new Map<string, Fields>()
  for await (const cells of csvRows(questdbUrl, `select ${select.join(', ')} from '${name}'`)) {
    const id = cells.slice(0, 4 + key.length).join('|')
    if (rows.has(id)) throw new Error(`${name} holds ${id} twice`)
    rows.set(id, toFields(cells.slice(4 + key.length)))
  }
  return rows
}

export async function storedRows(questdbUrl: string, prefix: string) {
  const numbers =
    (names: readonly string[]) =>
    (cells: readonly string[]): Fields =>
      Object.fromEntries(names.map((name, i) => [name, number(cells[i]!)]))
  const windowNames =
    'count expected completeness sum min max mean first last stddev energyWh'.split(' ')
  const baselineNames = ['centre', 'lower', 'upper', 'n']
  const anomalyNames = ['value', 'expected', 'lower', 'upper', 'pctChange', 'score', 'run']
  const sql = (name: string) => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)
  return {
    readings: await table(
      questdbUrl,
      `${prefix}readings`,
      [],
      ['value', 'quality', 'seq'],
      (c) => ({
        value: number(c[0]!),
        quality: c[1]!,
        seq: number(c[2]!),
      }),
    ),
    windows: await table(
      questdbUrl,
      `${prefix}windows`,
      ['width'],
      [...windowNames.map(sql), 'estimated'],
      (c) => ({ ...numbers(windowNames)(c), estimated: c.at(-1) === 'true' }),
    ),
    baselines: await table(
      questdbUrl,
      `${prefix}baselines`,
      ['width', 'kind'],
      baselineNames,
      numbers(baselineNames),
    ),
    anomalies: await table(
      questdbUrl,
      `${prefix}anomalies`,
      ['width', 'kind'],
      [...anomalyNames.map(sql), 'state', 'severity'],
      (c) => ({ ...numbers(anomalyNames)(c), state: c.at(-2)!, severity: c.at(-1)! }),
    ),
  }
}

export type StoredRows = Awaited<ReturnType<typeof storedRows>>

/** Doubles agree to nine digits: the engine adds panes where the oracle adds samples. */
function same(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number') {
    return Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a), Math.abs(b))
  }
  return a === b
}

export interface Differences {
  readonly compared: number
  /** At most 20 of each kind, in words. */
  readonly missing: string[]
  readonly extra: string[]
  readonly different: string[]
}

function differences(
  expected: ReadonlyMap<string, object>,
  actual: ReadonlyMap<string, Fields>,
  mayBeExtra: (row: Fields) => boolean,
): Differences {
  const out = { compared: expected.size, missing: [], extra: [], different: [] } as {
    compared: number
    missing: string[]
    extra: string[]
    different: string[]
  }
  const note = (list: string[], text: string) => {
    if (list.length < 20) list.push(text)
  }
  for (const [id, row] of expected) {
    const found = actual.get(id)
    if (found === undefined) {
      note(out.missing, id)
      continue
    }
    for (const [name, value] of Object.entries(row)) {
      if (!(name in found)) continue
      // A retracted verdict says that it is none; the values beside it are those of its last
      // emission.
      if (found['state'] === 'retracted' && name !== 'state') continue
      // What is learned meanwhile restates nothing, but a window that is restated for nothing tells
      // it.
      const learned = name === 'expected' || name === 'completeness'
      if (learned && (value === null) !== (found[name] === null)) continue
      if (!same(value, found[name])) {
        note(
          out.different,
          `${id} ${name}: expected ${String(value)}, stored ${String(found[name])}`,
        )
      }
    }
  }
  for (const [id, row] of actual) {
    if (!expected.has(id) && !mayBeExtra(row)) note(out.extra, id)
  }
  return out
}

export function compare(
  expected: OracleRows,
  stored: StoredRows,
): Record<keyof StoredRows, Differences> {
  const never = () => false
  return {
    readings: differences(expected.readings satisfies Map<string, RawRow>, stored.readings, never),
    windows: differences(
      expected.windows satisfies Map<string, Row>,
      stored.windows,
      // A window that lost its last sample before its row was ever known may or may not have left
      // one.
      (row) => row['count'] === 0 && (row['energyWh'] ?? 0) === 0,
    ),
    baselines: differences(
      expected.baselines satisfies Map<string, BaselineRow>,
      stored.baselines,
      never,
    ),
    anomalies: differences(
      expected.anomalies satisfies Map<string, AnomalyRow>,
      stored.anomalies,
      (row) => row['state'] === 'retracted',
    ),
  }
}

/** The text of what differs, or '' where nothing does. */
export function explain(found: Record<keyof StoredRows, Differences>): string {
  const lines: string[] = []
  for (const [name, d] of Object.entries(found)) {
    for (const id of d.missing) lines.push(`${name}: missing ${id}`)
    for (const id of d.extra) lines.push(`${name}: extra ${id}`)
    for (const text of d.different) lines.push(`${name}: ${text}`)
  }
  return lines.join('\n')
}
