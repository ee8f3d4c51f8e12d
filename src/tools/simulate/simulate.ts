import { setTimeout as sleep } from 'node:timers/promises'
import { hasCode } from '../../kernel/errors.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { type Clock, MICROS_PER_SECOND } from '../../kernel/time.ts'
import { type Ledger, openLedger } from '../ledger.ts'
import { type Publisher, openPublisher } from '../publisher.ts'
import { inBulk } from './bulk.ts'
import { simulateErrors } from './errors.ts'
import { EARLIEST_SECOND, Fleet, type FleetOptions, type FleetPublish } from './fleet.ts'
import { readState, writeState } from './state.ts'

/**
 * Simulate: publishes a virtual fleet over MQTT. The fleet's time begins at `start` and moves
 * `speed` times as fast as real time, but never past it: a fleet that has caught up goes on live.
 * Times are whole seconds since 1970, UTC.
 */
export interface SimulateOptions {
  readonly fleet: FleetOptions
  readonly start: number
  /** Nothing from here on; Infinity: until it is interrupted. */
  readonly end: number
  /**
   * Infinity: what lies in the past goes as fast as it is acknowledged, several readings a PUBLISH;
   * what comes after it goes live.
   */
  readonly speed: number
  readonly url: string
  readonly connections: number
  readonly window: number
  readonly ledger: string | undefined
  /** Where to go on from, and to note how far it came. */
  readonly stateFile: string | undefined
  readonly clock: Clock
  /** Aborted: what is under way is acknowledged still, then `simulate` resolves. */
  readonly signal: AbortSignal
  readonly onProgress?: (progress: SimulateProgress) => void
  readonly onTrouble?: (why: string) => void
}

export interface SimulateProgress {
  readonly phase: 'history' | 'live'
  /** The fleet's time. */
  readonly second: number
  readonly start: number
  readonly until: number
  readonly acknowledged: number
}

export interface SimulateSummary {
  readonly meters: number
  /** Readings whose PUBLISH was acknowledged, those that were sent again by a fault included. */
  readonly acknowledged: number
  readonly publishes: number
  readonly poison: number
  readonly resent: number
  readonly start: number
  /** Everything before this second was published. */
  readonly end: number
  readonly seconds: number
  readonly readingsPerSecond: number
  readonly interrupted: boolean
}

interface Tag {
  readonly meterId: string
  readonly readings: FleetPublish['readings']
}

/**
 * @throws simulate.tooEarly, simulate.backwards, simulate.badState; publish.* where there is no
 *   bridge.
 */
export async function simulate(options: SimulateOptions): Promise<SimulateSummary> {
  const { start, end } = options
  if (start < EARLIEST_SECOND) {
    throw simulateErrors.tooEarly({ start: iso(start), earliest: iso(EARLIEST_SECOND) })
  }
  if (end <= start) throw simulateErrors.backwards({ start: iso(start), end: iso(end) })
  const run = new Run(options)
  try {
    await run.open()
    return await run.all()
  } finally {
    await run.close()
  }
}

class Run {
  readonly #options: SimulateOptions
  readonly #fleet: Fleet
  readonly #name: string
  readonly #ledger: Ledger | undefined
  readonly #startedMs: number
  #publisher: Publisher | undefined
  #second: number
  #publishes = 0
  #poison = 0
  #acknowledged = 0
  #savedMs = -Infinity

  constructor(options: SimulateOptions) {
    this.#options = options
    this.#fleet = new Fleet(options.fleet)
    this.#name = JSON.stringify(options.fleet)
    const state = options.stateFile === undefined ? undefined : readState(options.stateFile)
    const isSame = state?.fleet === this.#name
    this.#second = isSame ? Math.max(options.start, state.publishedUntil) : options.start
    this.#ledger = options.ledger === undefined ? undefined : openLedger(options.ledger)
    this.#startedMs = options.clock.monotonicMillis()
  }

  async open(): Promise<void> {
    const { url, connections, window, onTrouble, fleet } = this.#options
    this.#publisher = await openPublisher({
      ...{ url, window, clientIdPrefix: `sim-${process.pid}-` },
      connections: Math.min(connections, fleet.meters),
      onAck: (_topic, payload, tag) => {
        this.#acknowledge(payload, tag as Tag)
      },
      ...(onTrouble && { onTrouble }),
    })
  }

  async all(): Promise<SimulateSummary> {
    const { clock, signal, start } = this.#options
    const from = this.#second
    const onAbort = () => {
      timer = setTimeout(() => void this.#publisher?.close(), LIMITS.publisherGoodbyeMs)
    }
    let timer: NodeJS.Timeout | undefined
    signal.addEventListener('abort', onAbort)
    try {
      await this.#history()
      await this.#live()
      await this.#save(true)
    } catch (error) {
      // Whoever interrupts does not wait for a bridge that is away.
      if (!signal.aborted || !hasCode(error, 'publish.closed')) throw error
    } finally {
      signal.removeEventListener('abort', onAbort)
      clearTimeout(timer)
    }
    const seconds = (clock.monotonicMillis() - this.#startedMs) / 1_000
    return {
      meters: this.#fleet.meters.length,
      acknowledged: this.#acknowledged,
      publishes: this.#publishes,
      poison: this.#poison,
      resent: this.#publisher?.stats().resent ?? 0,
      start: Math.max(start, from),
      end: this.#second,
      seconds,
      readingsPerSecond: this.#acknowledged / seconds,
      interrupted: signal.aborted,
    }
  }

  async close(): Promise<void> {
    await this.#publisher?.close()
    this.#ledger?.close()
  }

  /** What lies behind, in arrays and as fast as it is acknowledged. */
  async #history(): Promise<void> {
    const { end, signal, speed, fleet } = this.#options
    if (speed !== Infinity) return
    // A slice has about as many readings of a meter as one PUBLISH of history.
    const slice = LIMITS.simulateReadingsPerPublish * fleet.intervalSeconds
    for (;;) {
      // Time goes on while history is published: live begins where the two meet.
      const until = Math.min(end, this.#nowSecond())
      if (signal.aborted || this.#second >= until) return
      const to = Math.min(until, this.#second + slice)
      const publishes = this.#fleet.publishes(this.#second, to)
      for (const publish of inBulk(publishes, LIMITS.simulateReadingsPerPublish)) {
        await this.#publish(publish)
      }
      this.#second = to
      this.#progress('history', until)
      await this.#save(false)
    }
  }

  async #live(): Promise<void> {
    const { end, signal, clock } = this.#options
    const speed = this.#options.speed === Infinity ? 1 : this.#options.speed
    if (signal.aborted || this.#second >= end) return
    const from = { second: this.#second, ms: clock.monotonicMillis() }
    for (const publish of this.#fleet.publishes(this.#second, end)) {
      // All of one second goes before the next is begun, so that `#second` is a clean cut.
      if (publish.second > this.#second) this.#second = publish.second
      const pacedMs = from.ms + ((publish.second - from.second) * 1_000) / speed
      if (!(await this.#untilDue(publish.second, pacedMs))) return
      await this.#publish(publish)
    }
    this.#second = Math.max(this.#second, end)
  }

  /** @returns Whether the time came; false where interrupted before. */
  async #untilDue(second: number, pacedMs: number): Promise<boolean> {
    const { clock, signal } = this.#options
    for (;;) {
      if (signal.aborted) return false
      const realMs = second * 1_000 - clock.nowMicros() / 1_000
      const waitMs = Math.max(realMs, pacedMs - clock.monotonicMillis())
      if (waitMs < 1) return true
      this.#progress('live', this.#options.end)
      await this.#save(false)
      await sleep(Math.min(waitMs, LIMITS.replayStepMs), undefined, { signal }).catch(() => false)
    }
  }

  async #publish(publish: FleetPublish): Promise<void> {
    const { meterId, readings } = publish
    this.#publishes += 1
    if (readings.length === 0) this.#poison += 1
    const tag: Tag = { meterId, readings }
    const wait = this.#publisher?.publish(publish.topic, publish.payload, { tag })
    if (wait !== undefined) await wait
  }

  #acknowledge(payload: string | Uint8Array, { meterId, readings }: Tag): void {
    this.#acknowledged += readings.length
    if (this.#ledger === undefined) return
    const { tenant } = this.#fleet.options
    this.#ledger.acknowledged(
      readings.map(({ at, channels }) => ({ tenant, meterId, at, channels })),
      Buffer.from(payload),
    )
  }

  /** Notes how far it came, when all up to there is acknowledged. */
  async #save(isLast: boolean): Promise<void> {
    const { clock, stateFile } = this.#options
    const nowMs = clock.monotonicMillis()
    const isDue = nowMs - this.#savedMs >= LIMITS.simulateSaveEveryMs
    if (!isLast && (stateFile === undefined || !isDue)) return
    const publishedUntil = this.#second
    await this.#publisher?.flush()
    this.#ledger?.flush()
    this.#savedMs = nowMs
    if (stateFile !== undefined) writeState(stateFile, { fleet: this.#name, publishedUntil })
  }

  #nowSecond(): number {
    return Math.floor(this.#options.clock.nowMicros() / MICROS_PER_SECOND)
  }

  #progress(phase: 'history' | 'live', until: number): void {
    const { start, onProgress } = this.#options
    onProgress?.({ phase, second: this.#second, start, until, acknowledged: this.#acknowledged })
  }
}

function iso(second: number): string {
  return Number.isFinite(second) ? new Date(second * 1_000).toISOString() : 'no time at all'
}
