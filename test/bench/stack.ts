import { mkdtempSync, chmodSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePorts, startServers } from '../../infra/servers/index.ts'
import { openPublisher, type Publisher } from '../../src/tools/publisher.ts'
import { type PipelineUnderTest, startPipeline } from '../support/pipeline.ts'
import { onFreePorts, type SpawnedRole, spawnRole } from '../support/roles.ts'
import { cpuSeconds, residentMb } from '../support/processes.ts'

/** As the supervisor starts it. */
const API_HEAP_MB = 256

/** Servers of a benchmark's own, a bridge, a processor and an api, each a process. */
export interface Stack {
  readonly pipeline: PipelineUnderTest
  readonly api: SpawnedRole
  /** CPU seconds and MB of memory of each role so far. */
  usage(): Readonly<Record<string, { readonly cpuSeconds: number; readonly residentMb: number }>>
  publisher(connections: number): Promise<Publisher>
  stop(): Promise<void>
}

export async function startStack(): Promise<Stack> {
  const dataDir = mkdtempSync(join(tmpdir(), 'meterloom-bench-'))
  // Postgres does not run as root, and its own user must be able to come in here.
  chmodSync(dataDir, 0o755)
  const [kafka = 0, kafkaController = 0, questdbHttp = 0, questdbPg = 0, postgres = 0] =
    await freePorts(5)
  const ports = { kafka, kafkaController, questdbHttp, questdbPg, postgres }
  const servers = await startServers({ dataDir, ports })
  Object.assign(process.env, servers.env)
  const endings: (() => unknown)[] = []
  const scope = { after: (end: () => unknown) => void endings.push(end) }
  const stop = async () => {
    for (const end of endings) await end()
    await servers.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
  try {
    const pipeline = await startPipeline(scope, { overrides: { partitions: 12 } })
    const api = spawnRole(scope, 'api', await onFreePorts(pipeline.config), {
      NODE_OPTIONS: `--max-old-space-size=${API_HEAP_MB}`,
    })
    await alone(api.opsUrl)
    const roles = { bridge: pipeline.bridge, processor: pipeline.processors[0]!, api }
    const usageOf = ({ pid }: SpawnedRole) => ({
      cpuSeconds: cpuSeconds([pid]),
      residentMb: residentMb([pid]),
    })
    return {
      ...{ pipeline, api, stop },
      usage: () =>
        Object.fromEntries(Object.entries(roles).map(([name, role]) => [name, usageOf(role)])),
      async publisher(connections) {
        const url = pipeline.mqttUrl
        const options = { url, connections, window: 1_000, clientIdPrefix: 'bench-' }
        const publisher = await openPublisher(options)
        scope.after(() => publisher.close())
        return publisher
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The api's /ready speaks for a worker too, and there is none here. */
async function alone(opsUrl: string): Promise<void> {
  const deadlineMs = performance.now() + 20_000
  for (;;) {
    const answer = await fetch(`${opsUrl}/metrics`).catch(() => undefined)
    if (/^meterloom_role_ready 1/m.test((await answer?.text()) ?? '')) return
    if (performance.now() > deadlineMs) throw new Error('the api is not ready')
    await sleep(100)
  }
}

export interface Paced {
  /** Readings that were published so far. */
  count(): number
  /** Resolves when the last one is acknowledged. */
  readonly done: Promise<void>
}

/**
 * Publishes `perSecond` readings, each in a PUBLISH of its own, one meter after the other, for some
 * seconds. What falls behind is caught up with.
 */
export function publishPaced(
  publisher: Publisher,
  load: { meters: number; perSecond: number; seconds: number },
  onPublish: (meter: number, atMillis: number, sentMs: number) => void,
): Paced {
  let count = 0
  const total = load.perSecond * load.seconds
  const startedMs = performance.now()
  const startedMillis = Date.now()
  const run = async () => {
    while (count < total) {
      const due = Math.min(total, ((performance.now() - startedMs) / 1_000) * load.perSecond)
      for (; count < due; count++) {
        const meter = count % load.meters
        // Its own time each, so that none is taken for another.
        const atMillis = startedMillis + Math.floor((count * 1_000) / load.perSecond)
        const at = new Date(atMillis).toISOString()
        const payload = `{"at":"${at}","power_w":${500 + (count % 97)}}`
        onPublish(meter, atMillis, performance.now())
        const full = publisher.publish(`fleet/demo/m-${meter}/readings`, payload)
        if (full !== undefined) await full
      }
      await sleep(5)
    }
    await publisher.flush()
  }
  return { count: () => count, done: run() }
}

/** p50, p99 and the largest of some milliseconds, to one digit. */
export function quantiles(latenciesMs: readonly number[]) {
  const sorted = Float64Array.from(latenciesMs).sort()
  const at = (share: number) =>
    Math.round((sorted[Math.floor(share * (sorted.length - 1))] ?? NaN) * 10) / 10
  return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) }
}
