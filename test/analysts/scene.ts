import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/kernel/time.ts'
import { loadRegistry } from '../../src/registry/files.ts'
import { questdbSql } from '../../src/sinks/questdb-http.ts'
import { mirrorRegistry } from '../../src/sinks/registry-mirror.ts'
import { Fleet, type FleetOptions } from '../../src/tools/simulate/fleet.ts'
import { simulate } from '../../src/tools/simulate/simulate.ts'
import type { Scope } from '../support/database.ts'
import { startPipeline } from '../support/pipeline.ts'
import { analystsUrl, onTables, psql } from '../support/psql.ts'
import { applied } from '../sinks/support.ts'
import { refreshViews } from './support.ts'

/** A fleet of a week in which Berlin's clocks go back, and a meter of the laboratory beside it. */
const FLEET: FleetOptions = {
  ...{ seed: 3, meters: 6, intervalSeconds: 60, zone: 'Europe/Berlin', tenant: 'demo' },
  faults: { spikes: 0.02, silent: 0.2 },
}
const START = '2026-10-23T00:00:00Z'
const END = '2026-10-28T12:00:00Z'

const PLACES = ['north', 'south'] as const
export const placeOf = (meterId: string) => PLACES[Number(meterId.slice(4)) % 2]!

export interface Sample {
  readonly atMs: number
  readonly value: number
}

export interface Scene {
  /** Runs a query of the page as the user who may only read. */
  ask(query: string): Promise<readonly Record<string, string>[]>
  /** All rows of a table, over HTTP. */
  table(name: string): Promise<readonly Record<string, string | number | boolean | null>[]>
  readonly meterIds: readonly string[]
  /** What the fleet has sent, computed without any of the product's pipeline, by time. */
  readonly samples: (
    meterId: string,
    channel: 'power_w' | 'voltage_v' | 'energy_register_wh',
  ) => readonly Sample[]
  /** The laboratory's readings of voltage, by time; the BAD one is not among them. */
  readonly laboratory: readonly Sample[]
}

/** Minutes of 24 October with a voltage that is not 230, of meter `lab-1`. */
const STRANGE = new Map([
  [100, 200],
  [101, 206.9],
  [300, 260],
  [301, 253.1],
])
const BAD_MINUTE = 400

export async function startScene(scope: Scope): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'analysts-'))
  const fleet = new Fleet(FLEET)
  const metersFile = join(folder, 'meters.json')
  const meters = fleet.meters.map(({ meterId }) => ({
    ...{ tenant: 'demo', meterId, zone: FLEET.zone, place: placeOf(meterId) },
    expectedIntervalSeconds: 60,
  }))
  writeFileSync(metersFile, JSON.stringify({ meters }))
  scope.after(() => {
    rmSync(folder, { recursive: true })
    return Promise.resolve()
  })
  const pipeline = await startPipeline(scope, { overrides: { metersFile } })
  const { questdbUrl, tablePrefix: prefix } = pipeline.config
  await mirrorRegistry({ questdbUrl, prefix, registry: await loadRegistry({ ...pipeline.config }) })

  const [start, end] = [START, END].map((time) => Date.parse(time) / 1_000) as [number, number]
  await simulate({
    ...{ fleet: FLEET, start, end, speed: Infinity, url: pipeline.mqttUrl, ledger: undefined },
    ...{ connections: 4, window: 16, stateFile: undefined, clock: systemClock },
    signal: new AbortController().signal,
    onProgress: () => undefined,
  })
  const file = join(folder, 'laboratory.csv')
  const laboratory = laboratoryReadings()
  writeFileSync(file, csvOf(laboratory))
  const replayed = await pipeline.cli('replay', file, '--url', pipeline.mqttUrl)
  if (replayed.code !== 0) throw new Error(replayed.stderr)
  await pipeline.settled()
  const sql = questdbSql(questdbUrl)
  // A verdict that was taken back, which no query may count.
  await sql.rows(
    `insert into '${prefix}anomalies'(ts, tenant, meter_id, channel, width, kind, state, run) ` +
      `values ('2026-10-24T05:07:30Z', 'demo', 'sim-0001', 'power_w', '15m', 'energy_spike', ` +
      `'retracted', 99)`,
  )
  await applied(sql, `${prefix}anomalies`)
  await refreshViews(sql, prefix)
  const url = await analystsUrl(questdbUrl)
  const sent = sentBy(fleet, start, end)
  return {
    ask: (query) => psql(url, onTables(query, prefix)),
    async table(name) {
      const columns = await sql.rows(`select "column" from table_columns('${prefix}${name}')`)
      const rows = await sql.rows(`select * from '${prefix}${name}'`)
      const names = columns.map(([column]) => String(column))
      return rows.map((row) => Object.fromEntries(names.map((column, i) => [column, row[i]!])))
    },
    meterIds: fleet.meters.map(({ meterId }) => meterId),
    samples: (meterId, channel) => sent.get(`${meterId} ${channel}`) ?? [],
    laboratory: laboratory.filter(({ quality }) => quality !== 'BAD'),
  }
}

function sentBy(fleet: Fleet, start: number, end: number): ReadonlyMap<string, readonly Sample[]> {
  const sent = new Map<string, Sample[]>()
  for (const { meterId, at, values, faults } of fleet.truth(start, end)) {
    if (faults.includes('silent')) continue
    const { powerW, voltageV, registerWh } = values
    const cells = { power_w: powerW, voltage_v: voltageV, energy_register_wh: registerWh }
    for (const [channel, value] of Object.entries(cells)) {
      const key = `${meterId} ${channel}`
      const series = sent.get(key) ?? []
      series.push({ atMs: at / 1_000, value })
      sent.set(key, series)
    }
  }
  return sent
}

type LaboratoryReading = Sample & { readonly quality: 'MEASURED' | 'BAD' }

function laboratoryReadings(): readonly LaboratoryReading[] {
  const midnightMs = Date.parse('2026-10-24T00:00:00Z')
  return Array.from({ length: 1_440 }, (_, minute) => ({
    atMs: midnightMs + minute * 60_000,
    value: minute === BAD_MINUTE ? 999 : (STRANGE.get(minute) ?? 230),
    quality: minute === BAD_MINUTE ? 'BAD' : 'MEASURED',
  }))
}

function csvOf(readings: readonly LaboratoryReading[]): string {
  const lines = readings.map(({ atMs, value, quality }) => {
    return `lab-1,${new Date(atMs).toISOString()},voltage_v,${value},${quality}`
  })
  return ['meter_id,at,channel,value,quality', ...lines, ''].join('\n')
}
