import type { Addresses } from '../../src/kernel/addresses.ts'
import type { Config } from '../../src/kernel/config.ts'
import { assertPortsFree } from '../servers/ports.ts'
import { processorServices } from './fleet.ts'
import { Kept } from './keep.ts'

export interface ProcessorsOptions {
  readonly config: Config & Addresses
  readonly env: Readonly<Record<string, string | undefined>>
  readonly count: number
  /** Aborts when all are to stop in order, and when they are to stop at once. */
  readonly interrupted: AbortSignal
  readonly hurried: AbortSignal
  /** One event, in words, for people. */
  readonly report: (line: string) => void
  /** Said when all are ready. */
  readonly ready: (line: string) => void
}

/**
 * Runs several processors as children until it is interrupted: each has an ops port of its own, one
 * that dies is started again, and all are ended together.
 *
 * @throws servers.portTaken, supervisor.keepsEnding
 */
export async function runProcessors(options: ProcessorsOptions): Promise<void> {
  const { config, count, interrupted, hurried, report } = options
  // By their ports, so that they are not taken for those of `meterloom start`.
  const nameOf = (_index: number, port: number) => `processor-on-${port}`
  const services = processorServices(config, options.env, { count, nameOf })
  for (const { name, claims } of services) await assertPortsFree(name, claims)
  const kept = services.map((service) => new Kept(service, { attemptsMax: 3, report }))
  const stopped = new Promise<void>((resolve) => {
    if (interrupted.aborted) resolve()
    interrupted.addEventListener('abort', () => resolve())
  })
  hurried.addEventListener('abort', () => void Promise.all(kept.map((one) => one.kill())))
  try {
    const up = Promise.all(kept.map((one) => one.start())).then(() => {
      const ports = services.map(({ port }) => port).join(', ')
      options.ready(`${count} processors are ready; their ops ports are ${ports}`)
    })
    // Where an interruption comes first, what becomes of the start interests nobody.
    up.catch(() => undefined)
    await Promise.race([up, stopped])
    await stopped
  } finally {
    await Promise.all(kept.map((one) => one.stop()))
  }
}
