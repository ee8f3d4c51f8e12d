import { setTimeout as sleep } from 'node:timers/promises'
import type { Addresses } from '../../src/kernel/addresses.ts'
import type { Config } from '../../src/kernel/config.ts'
import { messageOf } from '../../src/kernel/errors.ts'
import { LIMITS } from '../../src/kernel/limits.ts'
import { assertPortsFree } from '../servers/ports.ts'
import { mapCountAdvice } from '../servers/questdb.ts'
import { type Fleet, makeFleet } from './fleet.ts'
import { loadRegistry } from '../../src/registry/files.ts'
import { withSampleMeters } from './sample-meters.ts'
import { Kept } from './keep.ts'
import { prepareStores } from './prepare-stores.ts'
import { type Progress, type Terminal, makeProgress } from './progress.ts'
import { type RoleProcess, answersOk } from './role-process.ts'
import { type ProcessStatus, type Status, claimDataDir } from './status.ts'
import { addressLines } from './addresses.ts'

export interface SuperviseOptions {
  readonly config: Config & Addresses
  readonly env: Readonly<Record<string, string | undefined>>
  readonly io: Terminal & {
    /** Aborts when all is to stop in order. */
    readonly interrupted: AbortSignal
    /** Aborts when it is to stop at once. */
    readonly hurried: AbortSignal
  }
  /** Whether the simulated fleet runs too. */
  readonly sample: boolean
}

/** The fleet with what keeps each of it running. */
interface KeptFleet {
  readonly servers: readonly Kept[]
  readonly roles: readonly { readonly kept: Kept; readonly service: RoleProcess }[]
  readonly sample: Kept | undefined
}

/**
 * Runs servers and roles until it is interrupted.
 *
 * @returns The exit code: 0 where all was stopped in order, 1 where something could not be started.
 * @throws supervisor.alreadyRunning, and what starting servers throws where nothing runs yet.
 */
export async function supervise(options: SuperviseOptions): Promise<number> {
  const { env, io, sample } = options
  const config = sample ? await withSample(options) : options.config
  const progress = makeProgress(io)
  const fleet = await makeFleet(config, env, { sample })
  const kept = keepAll(fleet, progress)
  const claim = await claimDataDir(config.dataDir, () => statusOf(kept))
  const interruption = new Promise<'interrupted'>((resolve) => {
    if (io.interrupted.aborted) resolve('interrupted')
    io.interrupted.addEventListener('abort', () => resolve('interrupted'))
  })
  io.hurried.addEventListener('abort', () => void killAll(kept))
  let exitCode = 0
  try {
    const up = bringUp(fleet, kept, { ...options, config }, progress)
    // Where an interruption comes first, what becomes of the start interests nobody.
    up.catch(() => undefined)
    await Promise.race([up, interruption])
    await interruption
  } catch (error) {
    progress.close()
    progress.line(`meterloom: ${messageOf(error)}`)
    exitCode = 1
  } finally {
    progress.close()
    await stopAll(kept, progress)
    await claim.release()
  }
  return exitCode
}

/** A file that somebody has named is theirs. */
async function withSample({ config, env }: SuperviseOptions): Promise<Config & Addresses> {
  if ((env['METERS_FILE'] ?? '') !== '') return config
  // A mistake in the file is told by its reader, which names it.
  await loadRegistry(config)
  return { ...config, metersFile: withSampleMeters(config) }
}

function keepAll(fleet: Fleet, progress: Progress): KeptFleet {
  const report = (line: string) => progress.line(line)
  const { sample } = fleet
  const keptSample = sample && new Kept(sample, { attemptsMax: 1, restartsMax: 3, report })
  sample?.onDone(() => keptSample?.markDone())
  return {
    servers: fleet.servers.map((server) => new Kept(server, { attemptsMax: 1, report })),
    roles: fleet.roles.map((service) => ({
      service,
      kept: new Kept(service, { attemptsMax: 3, report }),
    })),
    sample: keptSample,
  }
}

async function bringUp(
  fleet: Fleet,
  kept: KeptFleet,
  { config, io }: SuperviseOptions,
  progress: Progress,
): Promise<void> {
  const startedMs = performance.now()
  await clearTheWay(fleet, progress)
  if (kept.servers.length > 0) {
    const names = fleet.servers.map(({ name }) => name).join(', ')
    progress.working(`starting ${names}`)
    await Promise.all(kept.servers.map((server) => server.start()))
    progress.done(`${names}: up`)
  }
  progress.working('topics and tables')
  await prepareStores(config, (line) => progress.line(line))
  progress.done('topics and tables: there')

  const names = fleet.roles.map(({ name }) => name).join(', ')
  progress.working(`starting ${names}`)
  await Promise.all(kept.roles.map((role) => role.kept.start()))
  // Each is ready by itself: the api says when all are at one time, its own feed among them.
  while (!io.interrupted.aborted && !(await answersOk(fleet.readyUrl))) {
    await sleep(LIMITS.probeEveryMs)
  }
  progress.done(`${names}: ready`)
  if (kept.sample) {
    await kept.sample.start()
    progress.line('sample: publishing as simulated meters (--no-sample leaves them out)')
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
  io.stdout.write(`meterloom is ready after ${seconds} s\n`)
  for (const line of addressLines(config)) io.stdout.write(`  ${line}\n`)
  const advice = fleet.servers.some(({ name }) => name === 'questdb') ? mapCountAdvice() : undefined
  if (advice !== undefined) progress.line(`note: ${advice}`)
}

/**
 * Ends what a killed supervisor left behind, and sees that every port is free before anything
 * starts.
 */
async function clearTheWay(fleet: Fleet, progress: Progress): Promise<void> {
  const sample = fleet.sample ? [fleet.sample] : []
  const all = [...fleet.servers, ...fleet.roles, ...sample]
  await Promise.all(
    all.map(async (service) => {
      if (await service.endLeftover()) progress.line(`${service.name}: ended one of an earlier run`)
    }),
  )
  for (const { name, claims } of all) await assertPortsFree(name, claims)
}

async function stopAll(kept: KeptFleet, progress: Progress): Promise<void> {
  progress.working('stopping')
  const startedMs = performance.now()
  // First who sends, then who works on it, then where it is kept.
  const sampleStopped = kept.sample?.stop()
  await within(sampleStopped, LIMITS.sampleHeadStartMs)
  await Promise.all([sampleStopped, ...kept.roles.map((role) => role.kept.stop())])
  await Promise.all(kept.servers.map((server) => server.stop()))
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
  progress.close()
  progress.line(`stopped after ${seconds} s`)
}

async function killAll(kept: KeptFleet): Promise<void> {
  const all = [...kept.servers, ...kept.roles.map((role) => role.kept)]
  if (kept.sample) all.push(kept.sample)
  await Promise.all(all.map((each) => each.kill()))
}

async function statusOf(kept: KeptFleet): Promise<Status> {
  const roles = await Promise.all(
    kept.roles.map(async ({ kept: role, service }): Promise<ProcessStatus> => {
      const asked =
        role.state === 'ready' && !(await within(service.isReady(), LIMITS.probeTimeoutMs))
      return { ...describe(role), state: asked ? 'unready' : role.state }
    }),
  )
  const sample = kept.sample ? [describe(kept.sample)] : []
  return { pid: process.pid, processes: [...kept.servers.map(describe), ...roles, ...sample] }
}

/** What the promise resolves with; undefined where that takes longer. */
async function within<T>(promise: Promise<T> | undefined, limitMs: number): Promise<T | undefined> {
  const limit = new AbortController()
  const { signal } = limit
  const late = sleep(limitMs, undefined, { signal }).catch(() => undefined)
  try {
    return await Promise.race([promise, late])
  } finally {
    limit.abort()
  }
}

function describe({ service, state, restarts }: Kept): ProcessStatus {
  const port = service.claims.length === 0 ? null : service.port
  return { role: service.name, pid: service.pid ?? null, port, state, restarts }
}
