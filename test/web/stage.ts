import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Publisher, openPublisher } from '../../src/tools/publisher.ts'
import type { Scope } from '../support/database.ts'
import { type PipelineUnderTest, startPipeline } from '../support/pipeline.ts'
import { type SpawnedRole, spawnRole } from '../support/roles.ts'

/** The product as it runs, each role a process, and somebody who publishes. */
export interface WebStage {
  readonly pipeline: PipelineUnderTest
  readonly publisher: Publisher
  readonly apiUrl: string
  /** Ends the api as it runs; another one takes its place. */
  endApi(): Promise<void>
  startApi(): Promise<void>
  /** Publishes readings of power, a time each, and waits for their PUBACKs. */
  publish(
    meterId: string,
    readings: readonly (readonly [atMs: number, powerW: number])[],
  ): Promise<void>
}

export const ZONE = 'Europe/Berlin'

/** @param meterIds Meters that are registered, with a place and a zone. */
export async function webStage(scope: Scope, meterIds: readonly string[]): Promise<WebStage> {
  const metersFile = join(tmpdir(), `meters-${process.pid}.json`)
  const meters = meterIds.map((meterId, i) => ({
    ...{ tenant: 'demo', meterId, zone: ZONE, place: `North Street ${i + 1}` },
    expectedIntervalSeconds: 60,
    // Nobody is to be found silent, however long the tests take.
    silentAfterIntervals: 10_000,
  }))
  writeFileSync(metersFile, JSON.stringify({ defaults: { zone: ZONE }, meters }))
  const pipeline = await startPipeline(scope, { overrides: { metersFile } })
  const { config, mqttUrl } = pipeline
  spawnRole(scope, 'worker', config)
  const publisher = await openPublisher({
    ...{ url: mqttUrl, connections: 1, window: 500, clientIdPrefix: 'dashboard-' },
  })
  scope.after(() => publisher.close())
  let api: SpawnedRole | undefined
  const startApi = async () => {
    api = spawnRole(scope, 'api', config)
    await api.ready()
  }
  await startApi()
  return {
    ...{ pipeline, publisher, startApi, apiUrl: api!.opsUrl },
    endApi: () => api!.kill(),
    async publish(meterId, readings) {
      for (const [atMs, powerW] of readings) {
        const payload = { at: new Date(atMs).toISOString(), power_w: powerW, voltage_v: 230 }
        await publisher.publish(`fleet/demo/${meterId}/readings`, JSON.stringify(payload))
      }
      await publisher.flush()
    },
  }
}

const MINUTE_MS = 60_000

/** A reading a minute in `[from, to)`: a gentle day, and what `spike` says instead. */
export function minutes(
  fromMs: number,
  toMs: number,
  spike: (atMs: number) => number | undefined = () => undefined,
): [number, number][] {
  const readings: [number, number][] = []
  for (let at = Math.ceil(fromMs / MINUTE_MS) * MINUTE_MS; at < toMs; at += MINUTE_MS) {
    const usual = 800 + 200 * Math.sin(at / 7e6) + 30 * Math.sin(at / 1.7e5)
    readings.push([at, Math.round(spike(at) ?? usual)])
  }
  return readings
}

/** Waits until `look` finds something; `what` says what was waited for in vain. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  limitMs = 60_000,
): Promise<T> {
  const deadlineMs = performance.now() + limitMs
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (performance.now() > deadlineMs) throw new Error(`waited in vain for ${what}`)
    await sleep(100)
  }
}
