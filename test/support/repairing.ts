import type { Driver } from '../../src/engine/driver.ts'
import type { Row } from '../../src/engine/memory-tables.ts'
import { controlRecord } from '../../src/log/control.ts'
import type { Registry } from '../../src/registry/registry.ts'
import { loadCodecs } from '../../src/schemas/codecs.ts'
import type { Quality, RepairedWindow, RepairRequest } from '../../src/schemas/records.ts'
import { repairMeter } from '../../src/tools/repair/repair-meter.ts'
import type { MeterRows } from '../../src/tools/repair/repair-meter.ts'
import { repairPeriod } from '../../src/tools/repair/repair-period.ts'
import { MINUTE } from './late-meter.ts'

const codecs = await loadCodecs()
const done = <T>(answer: T) => Promise.resolve(answer)
const at = (row: Row) => row['ts'] as number

/** What the rows of a driver with one meter say, as QuestDB would. */
function rowsOf(driver: Driver, thoughtSilent: boolean): MeterRows {
  const ascending = (table: string) => driver.rows(table).toSorted((a, b) => at(a) - at(b))
  const raw = ascending('readings')
  const good = (channel: string) =>
    raw.filter((row) => row['channel'] === channel && row['quality'] !== 'BAD').map(at)
  const within = (rows: readonly Row[], channel: string, from: number, to: number) =>
    rows.filter((row) => row['channel'] === channel && at(row) >= from && at(row) < to)
  return {
    newestAt: () => done(Math.max(...raw.map(at))),
    channels: (from, to) => {
      const found = raw.filter((row) => at(row) >= from && at(row) <= to)
      return done([...new Set(found.map((row) => row['channel'] as string))])
    },
    before: (channel, time, count) => {
      const earlier = good(channel).filter((one) => one < time)
      return done(earlier.toReversed().slice(0, count))
    },
    after: (channel, time, count) => {
      const later = good(channel).filter((one) => one > time)
      return done(later.slice(0, count))
    },
    between: (channel, from, to) => {
      const found = within(raw, channel, from, to + 1)
      const [value, quality] = ['value', 'quality'] as const
      return done(
        found.map((row) => ({
          at: at(row),
          value: row[value] as number,
          quality: row[quality] as Quality,
        })),
      )
    },
    interval: () => done(MINUTE),
    windows: (channel, from, to) => {
      const found = within(driver.rows('windows'), channel, from, to)
      return done(found.map((row) => ({ width: row['width'] as string, start: at(row) })))
    },
    quarters: (channel, from, to) => {
      const found = within(ascending('windows'), channel, from, to)
      return done(found.filter((row) => row['width'] === '15m').map(windowOf))
    },
    silent: () => {
      if (thoughtSilent) return done(true)
      const silences = ascending('anomalies').filter((row) => row['kind'] === 'silence')
      return done(silences.at(-1)?.['state'] === 'active')
    },
  }
}

function windowOf(row: Row): RepairedWindow {
  const number = (name: string) => (Number.isNaN(row[name]) ? null : (row[name] as number))
  return {
    width: row['width'] as string,
    start: at(row),
    count: row['count'] as number,
    sum: number('sum'),
    min: number('min'),
    max: number('max'),
    first: number('first'),
    last: number('last'),
    stddev: number('stddev'),
    energyWh: number('energy_wh'),
    estimated: row['estimated'] as boolean,
  }
}

/** Answers the repair requests of a driver with one partition and one meter, as a worker would. */
export class Repairing {
  private readonly driver: Driver
  private readonly registry: Registry
  private taken = 0
  private waiting: RepairRequest[] = []
  /** Windows that were repaired. */
  windows = 0
  /** Whether the meter is taken for silent though it speaks. */
  thoughtSilent = false

  constructor(driver: Driver, registry: Registry) {
    this.driver = driver
    this.registry = registry
  }

  /** Answers until nothing is asked for any more. */
  async run(): Promise<void> {
    const { driver } = this
    for (let isDone = false; !isDone;) {
      driver.advanceAppendTime(20 * 1_000_000)
      await driver.run()
      isDone = (await this.answer(this.take())) === 0
    }
  }

  /** What was asked for since the last time, and what waits. */
  take(): readonly RepairRequest[] {
    const requests = (this.driver.records.get('repairs') ?? []) as RepairRequest[]
    const due = [...this.waiting, ...requests.slice(this.taken)]
    this.taken = requests.length
    this.waiting = []
    return due
  }

  /**
   * Answers how many of the requests could be done; the others wait. `basis` is up to which offset
   * the rows are taken to be known; by default they are as they are.
   */
  async answer(requests: readonly RepairRequest[], basis?: number): Promise<number> {
    const { driver, registry } = this
    let answered = 0
    for (const request of requests) {
      const { from, channel, width } = request
      const [end] = await driver.log.endOffsets('readings')
      const known = { basis: basis ?? end! - 1, rows: rowsOf(driver, this.thoughtSilent) }
      const common = { ...request, ...known, registry }
      const results =
        channel === null || width === null
          ? await repairMeter({ ...common, codecs })
          : await repairPeriod({ ...common, channel, width, start: from })
      if (results === undefined) {
        this.waiting.push(request)
        continue
      }
      answered++
      for (const result of results) {
        this.windows += result.windows.length
        const body = codecs['repair-result'].encode(result)
        const control = { kind: 'repair', source: 'test', table: null, offset: null, body }
        driver.log.appendNow('readings', [controlRecord(codecs.control, control, 0)])
      }
      await driver.run()
    }
    return answered
  }
}
