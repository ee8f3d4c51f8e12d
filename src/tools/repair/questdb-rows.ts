import { minutes } from '../../kernel/time.ts'
import type { Micros } from '../../kernel/time.ts'
import type { Quality, RepairedWindow } from '../../schemas/records.ts'
import { quoted } from '../../sinks/questdb-http.ts'
import type { QuestdbSql } from '../../sinks/questdb-http.ts'
import type { MeterRows } from './repair-meter.ts'

const QUARTER = minutes(15)

type Known = number | null
/** sum, min, max, first, last, stddev, energy, and whether it is estimated. */
type Rest = readonly [Known, Known, Known, Known, Known, Known, Known, boolean]

/** The rows of a meter as QuestDB shows them. */
export function questdbRows(
  sql: QuestdbSql,
  prefix: string,
  { tenant, meterId }: { tenant: string; meterId: string },
): MeterRows {
  const meter = `tenant = ${quoted(tenant)} and meter_id = ${quoted(meterId)}`
  const readings = `from ${quoted(`${prefix}readings`)} where ${meter}`
  const windows = `from ${quoted(`${prefix}windows`)} where ${meter}`
  const time = (at: Micros) => `cast(${at} as timestamp)`
  const series = (channel: string) => `channel = ${quoted(channel)}`
  const within = (from: Micros, to: Micros) => `ts >= ${time(from)} and ts <= ${time(to)}`
  const good = (channel: string) => `${series(channel)} and quality <> 'BAD'`
  const times = async (query: string) =>
    (await sql.rows(`select cast(ts as long) ${query}`)).map(([at]) => Number(at))
  return {
    async newestAt() {
      const [newest] = await times(`${readings} order by ts desc limit 1`)
      return newest ?? -Infinity
    },
    async channels(from, to) {
      const rows = await sql.rows(
        `select distinct channel ${readings} and ${within(from, to)} order by channel`,
      )
      return rows.map(([channel]) => String(channel))
    },
    before: (channel, at, count) =>
      times(
        `${readings} and ${good(channel)} and ts < ${time(at)} order by ts desc limit ${count}`,
      ),
    after: (channel, at, count) =>
      times(`${readings} and ${good(channel)} and ts > ${time(at)} order by ts limit ${count}`),
    async between(channel, from, to) {
      const rows = await sql.rows(
        `select cast(ts as long), value, quality ${readings} and ${series(channel)} ` +
          `and ${within(from, to)} order by ts`,
      )
      return rows.map(([at, value, quality]) => ({
        at: Number(at),
        // What is no finite number is null here, and BAD.
        value: Number(value ?? NaN),
        quality: quality as Quality,
      }))
    },
    async interval(channel) {
      const [row] = await sql.rows(
        `select expected ${windows} and ${series(channel)} and width = '15m' ` +
          'and expected is not null order by ts desc limit 1',
      )
      return row === undefined ? undefined : Math.round(QUARTER / Number(row[0]))
    },
    async windows(channel, from, to) {
      const rows = await sql.rows(
        `select width, cast(ts as long) ${windows} and ${series(channel)} ` +
          `and ${within(from, to - 1)}`,
      )
      return rows.map(([width, start]) => ({ width: String(width), start: Number(start) }))
    },
    quarters: (channel, from, to) =>
      quartersOf(sql, `${windows} and ${series(channel)} and ${within(from, to - 1)}`),
    async silent() {
      const [row] = await sql.rows(
        `select state from ${quoted(`${prefix}anomalies`)} where ${meter} ` +
          "and kind = 'silence' order by ts desc limit 1",
      )
      return row?.[0] === 'active'
    },
  }
}

async function quartersOf(sql: QuestdbSql, windows: string): Promise<readonly RepairedWindow[]> {
  const rows = await sql.rows(
    'select cast(ts as long), count, sum, min, max, first, last, stddev, energy_wh, estimated ' +
      `${windows} and width = '15m' order by ts`,
  )
  return rows.map(([start, count, ...rest]) => {
    const [sum, min, max, first, last, stddev, energyWh, estimated] = rest as unknown as Rest
    const numbers = { sum, min, max, first, last, stddev, energyWh, estimated }
    return { width: '15m', start: Number(start), count: Number(count), ...numbers }
  })
}
