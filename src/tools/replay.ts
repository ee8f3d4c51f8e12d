import { setTimeout as sleep } from 'node:timers/promises'
import { hasCode } from '../kernel/errors.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { Clock, Micros } from '../kernel/time.ts'
import { type Ledger, openLedger } from './ledger.ts'
import { type Publisher, openPublisher } from './publisher.ts'
import { MergedSource } from './replay/merge.ts'
import { type Payload, Payloads } from './replay/payloads.ts'
import { type FileReading, type Refusal, type RowCounts, newCounts } from './replay/rows.ts'
import { type FileForm, FileSource, type ReadingSource, readForm } from './replay/source.ts'
import { WEEK, shiftUntilNow, sizeOf } from './replay/shift.ts'
import { Zone } from './replay/zone.ts'

/**
 * Replay: files of readings, published over MQTT as if their meters spoke now.
 *
 * - speed: how much faster than real time, by the readings' own times over all files together.
 *   Infinity: as fast as the bridge acknowledges, several readings of one meter in one PUBLISH.
 * - group: files whose readings must keep their order among each other, since a meter is in
 *   several.
 */
export interface ReplayOptions {
  readonly files: readonly string[]
  readonly tenant: string
  /** What the column `value` is called as a channel. */
  readonly channel: string
  /** IANA name of the zone of times that have none. */
  readonly zone: string
  readonly speed: number
  /** Shifts all times by whole weeks, so that the last reading lies less than one before now. */
  readonly untilNow: boolean
  readonly url: string
  readonly connections: number
  readonly window: number
  readonly ledger: string | undefined
  readonly clock: Clock
  /** Aborted: what is under way is acknowledged still, then `replay` resolves. */
  readonly signal: AbortSignal
  readonly onProgress?: (progress: ReplayProgress) => void
  readonly onRefused?: (at: string, refusal: Refusal, value: string) => void
  readonly onTrouble?: (why: string) => void
}

export interface ReplayProgress {
  readonly phase: 'looking' | 'publishing'
  readonly bytes: number
  readonly bytesTotal: number
  readonly readings: number
}

export interface ReplaySummary extends RowCounts {
  readonly files: number
  /** Readings whose PUBLISH was acknowledged; all of them, unless interrupted. */
  readonly acknowledged: number
  readonly publishes: number
  readonly resent: number
  readonly shiftWeeks: number
  readonly seconds: number
  readonly readingsPerSecond: number
  readonly interrupted: boolean
}

/**
 * @throws replay.* where a file or its header is of no use (before anything is published) or
 *   damaged further in (what came before it is published); publish.* where there is no bridge.
 */
export async function replay(options: ReplayOptions): Promise<ReplaySummary> {
  const forms: FileForm[] = []
  for (const file of options.files) forms.push(await readForm(file, options.channel))
  const zone = new Zone(options.zone)
  const bytesTotal = forms.reduce((sum, { file }) => sum + sizeOf(file), 0)
  const { clock, signal, onProgress } = options
  const onRead = (bytes: number, readings: number) =>
    onProgress?.({ phase: 'looking', bytes, bytesTotal, readings })
  const shift = options.untilNow ? await shiftUntilNow(forms, zone, { clock, signal, onRead }) : 0
  const run = await Run.open(options, forms, zone, bytesTotal, shift)
  try {
    return await run.all()
  } finally {
    await run.close()
  }
}

/** Files that share a meter, together; a long file may hold any meter. */
function groupsOf(forms: readonly FileForm[], isPaced: boolean): FileForm[][] {
  if (isPaced || forms.some(({ shape }) => shape.kind === 'long')) return [[...forms]]
  return [...Map.groupBy(forms, ({ meterId }) => meterId).values()]
}

class Run {
  readonly #options: ReplayOptions
  readonly #groups: readonly FileForm[][]
  readonly #zone: Zone
  readonly #bytesTotal: number
  readonly #shift: Micros
  readonly #publisher: Publisher
  readonly #ledger: Ledger | undefined
  readonly #counts = newCounts()
  readonly #startedMs: number
  #bytesDone = 0
  #publishes = 0
  #acknowledged = 0
  /** The first reading's time and when it was published: what speed counts from. */
  #paceFrom: { at: Micros; ms: number } | undefined

  static async open(
    options: ReplayOptions,
    forms: readonly FileForm[],
    zone: Zone,
    bytesTotal: number,
    shift: Micros,
  ): Promise<Run> {
    const ledger = options.ledger === undefined ? undefined : openLedger(options.ledger)
    let run: Run | undefined = undefined
    const publisher = await openPublisher({
      url: options.url,
      connections: options.connections,
      window: options.window,
      clientIdPrefix: `replay-${process.pid}-`,
      onAck: (_topic, payload, tag) => run?.acknowledge(payload, tag as Payload),
      ...(options.onTrouble && { onTrouble: options.onTrouble }),
    })
    run = new Run(options, forms, zone, bytesTotal, shift, publisher, ledger)
    return run
  }

  private constructor(
    options: ReplayOptions,
    forms: readonly FileForm[],
    zone: Zone,
    bytesTotal: number,
    shift: Micros,
    publisher: Publisher,
    ledger: Ledger | undefined,
  ) {
    this.#options = options
    this.#groups = groupsOf(forms, Number.isFinite(options.speed))
    this.#zone = zone
    this.#bytesTotal = bytesTotal
    this.#shift = shift
    this.#publisher = publisher
    this.#ledger = ledger
    this.#startedMs = options.clock.monotonicMillis()
  }

  async all(): Promise<ReplaySummary> {
    const { signal, clock, files } = this.#options
    const groups = this.#groups.values()
    // Each worker takes the next group; the iterator is theirs together.
    const worker = async () => {
      for (const group of groups) {
        if (signal.aborted) return
        await this.#group(group)
      }
    }
    const count = Math.min(this.#groups.length, LIMITS.replayGroupsAtOnce)
    const giveUp = this.#giveUpAfterAbort()
    try {
      await Promise.all(Array.from({ length: count }, worker))
      await this.#publisher.flush()
    } catch (error) {
      if (!signal.aborted || !hasCode(error, 'publish.closed')) throw error
    } finally {
      giveUp.cancel()
    }
    const seconds = (clock.monotonicMillis() - this.#startedMs) / 1_000
    return {
      ...this.#counts,
      files: files.length,
      acknowledged: this.#acknowledged,
      publishes: this.#publishes,
      resent: this.#publisher.stats().resent,
      shiftWeeks: this.#shift / WEEK,
      seconds,
      readingsPerSecond: seconds > 0 ? this.#acknowledged / seconds : 0,
      interrupted: signal.aborted,
    }
  }

  acknowledge(payload: string | Uint8Array, { readings, ledger }: Payload): void {
    this.#acknowledged += readings
    if (ledger !== undefined) this.#ledger?.acknowledged(ledger, Buffer.from(payload))
  }

  async close(): Promise<void> {
    await this.#publisher.close()
    this.#ledger?.close()
  }

  async #group(group: readonly FileForm[]): Promise<void> {
    const { signal, speed, tenant } = this.#options
    const sources = group.map((form) => this.#source(form))
    const source: ReadingSource = sources.length === 1 ? sources[0]! : new MergedSource(sources)
    const isPaced = Number.isFinite(speed)
    const readingsMax = isPaced ? 1 : LIMITS.replayReadingsPerPublish
    const payloads = new Payloads(tenant, readingsMax, this.#ledger !== undefined)
    let bytesBefore = 0
    try {
      for (;;) {
        const readings = signal.aborted ? undefined : await source.next()
        if (readings === undefined) break
        for (const reading of readings) {
          const due = this.#shift === 0 ? reading : { ...reading, at: reading.at + this.#shift }
          if (isPaced && !(await this.#untilDue(due))) break
          for (const payload of payloads.add(due)) await this.#publish(payload)
        }
        const bytes = sources.reduce((sum, each) => sum + each.bytesRead, 0)
        this.#bytesDone += bytes - bytesBefore
        bytesBefore = bytes
        this.#progress()
      }
      for (const payload of payloads.rest()) await this.#publish(payload)
    } finally {
      source.close()
    }
  }

  /** Whoever interrupts a replay does not wait for a bridge that is away. */
  #giveUpAfterAbort(): { cancel: () => void } {
    const { signal } = this.#options
    let timer: NodeJS.Timeout | undefined
    const onAbort = () => {
      timer = setTimeout(() => void this.#publisher.close(), LIMITS.publisherGoodbyeMs)
    }
    signal.addEventListener('abort', onAbort)
    return {
      cancel: () => {
        signal.removeEventListener('abort', onAbort)
        clearTimeout(timer)
      },
    }
  }

  #source(form: FileForm): FileSource {
    return new FileSource(form, {
      zone: this.#zone,
      counts: this.#counts,
      onRefused: (file, line, refusal, value) => {
        this.#options.onRefused?.(`${file}:${line}`, refusal, value)
      },
    })
  }

  async #publish(payload: Payload): Promise<void> {
    this.#publishes += 1
    const wait = this.#publisher.publish(payload.topic, payload.text, { tag: payload })
    if (wait !== undefined) await wait
  }

  /** Waits for the time of a reading. @returns Whether it came; false where interrupted before. */
  async #untilDue({ at }: FileReading): Promise<boolean> {
    const { clock, speed, signal } = this.#options
    this.#paceFrom ??= { at, ms: clock.monotonicMillis() }
    const dueMs = this.#paceFrom.ms + (at - this.#paceFrom.at) / 1_000 / speed
    for (;;) {
      if (signal.aborted) return false
      const waitMs = dueMs - clock.monotonicMillis()
      if (waitMs < 1) return true
      // In steps, so that a person sees that it lives, and a gap of a year fits into a timer.
      await sleep(Math.min(waitMs, LIMITS.replayStepMs), undefined, { signal }).catch(() => false)
      this.#progress()
    }
  }

  #progress(): void {
    this.#options.onProgress?.({
      phase: 'publishing',
      bytes: this.#bytesDone,
      bytesTotal: this.#bytesTotal,
      readings: this.#acknowledged,
    })
  }
}
