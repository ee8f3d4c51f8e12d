import type { OutgoingRecord, Producer } from '../log/log.ts'

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
