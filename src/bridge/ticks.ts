import type { OutgoingRecord, Producer } from '../log/log.ts'
import { CONTROL_HEADER } from '../log/topics.ts'
import type { Codec } from '../schemas/codecs.ts'
import type { ControlRecord } from '../schemas/records.ts'

/**
 * What says in the log itself that a bridge is alive: a control record in every partition of
 * `readings`. Without one, silence in the log may be an outage of ours, and nobody may take it for
 * the fleet's.
 *
 * @param source Which bridge it is.
 */
export function tickRecords(
  codec: Codec<ControlRecord>,
  source: string,
  partitions: number,
): readonly OutgoingRecord[] {
  const value = codec.encode({ kind: 'tick', source, table: null, offset: null, body: null })
  const headers = { [CONTROL_HEADER]: Buffer.from('tick') }
  return Array.from({ length: partitions }, (_, partition) => ({
    key: null,
    value,
    partition,
    headers,
  }))
}

export interface TickerOptions {
  readonly producer: Producer
  readonly topic: string
  readonly records: readonly OutgoingRecord[]
  readonly everyMs: number
  /** Each round ends by this: without an error when all partitions have it. */
  readonly onTick: (error: unknown) => void
}

/** Ticks at once and then every so often; a round that is still under way is not overtaken. */
export class Ticker {
  private readonly options: TickerOptions
  private readonly timer: NodeJS.Timeout
  private underWay: Promise<void> | undefined

  constructor(options: TickerOptions) {
    this.options = options
    this.timer = setInterval(() => this.tick(), options.everyMs)
    this.tick()
  }

  private tick(): void {
    if (this.underWay !== undefined) return
    const { producer, topic, records, onTick } = this.options
    this.underWay = producer
      .append(topic, records)
      .then(
        () => onTick(undefined),
        (error: unknown) => onTick(error),
      )
      .finally(() => {
        this.underWay = undefined
      })
  }

  /** Resolves when no round is under way. */
  async stop(): Promise<void> {
    clearInterval(this.timer)
    await this.underWay
  }
}
