import { setTimeout as sleep } from 'node:timers/promises'
import { type LedgerReading, openLedger } from '../../src/tools/ledger.ts'
import { openPublisher, type Publisher } from '../../src/tools/publisher.ts'
import { InputMix, type Message } from './input.ts'

/** A fleet that goes on sending while processes are killed, and notes what it was told is safe. */
export interface Load {
  /** Identities of readings that were sent, acknowledged or not: see `identities`. */
  readonly sent: ReadonlySet<string>
  readonly ledgerFile: string
  acknowledged(): number
  /** Sends that were repeated since their PUBACK did not come. */
  resent(): number
  /** Sends what is still due, and resolves when all of it is acknowledged. */
  stop(): Promise<void>
  close(): Promise<void>
}

export interface LoadOptions {
  readonly mqttUrl: string
  readonly ledgerFile: string
  readonly seed: number
  readonly meters: number
  /** Sent as fast as may be before `startLoad` resolves. */
  readonly warmUpMinutes: number
  readonly messagesPerSecond: number
}

const CONNECTIONS = 8
const WINDOW = 40
const TURN_MS = 50

/** A reading's identities: one a channel, as the log and the tables know them. */
export function identities({ tenant, meterId, at, channels }: LedgerReading): string[] {
  return channels.map((channel) => `${tenant}|${meterId}|${channel}|${at}`)
}

/** Resolves when the warm-up is acknowledged. */
export async function startLoad(options: LoadOptions): Promise<Load> {
  const ledger = openLedger(options.ledgerFile)
  const publisher = await openPublisher({
    url: options.mqttUrl,
    connections: CONNECTIONS,
    window: WINDOW,
    clientIdPrefix: 'load-',
    onAck: (_topic, payload, tag) => {
      const { reading } = tag as Message
      ledger.acknowledged(reading === undefined ? [] : [reading], Buffer.from(payload))
    },
  })
  const load = new RunningLoad(options, publisher)
  await load.warmUp()
  const running = load.run()
  return {
    sent: load.sent,
    ledgerFile: options.ledgerFile,
    acknowledged: () => publisher.stats().acknowledged,
    resent: () => publisher.stats().resent,
    async stop() {
      load.stopping = true
      await running
      await load.sendRest()
      await publisher.flush()
      ledger.flush()
    },
    async close() {
      load.stopping = true
      await publisher.close()
      await running.catch(() => undefined)
      ledger.close()
    },
  }
}

class RunningLoad {
  readonly sent = new Set<string>()
  stopping = false
  private readonly options: LoadOptions
  private readonly publisher: Publisher
  private readonly mix: InputMix

  constructor(options: LoadOptions, publisher: Publisher) {
    this.options = options
    this.publisher = publisher
    this.mix = new InputMix(options)
  }

  private async publish(message: Message): Promise<void> {
    const { topic, payload, reading } = message
    if (reading !== undefined) for (const id of identities(reading)) this.sent.add(id)
    await this.publisher.publish(topic, payload, { tag: message })
  }

  async warmUp(): Promise<void> {
    for (let minute = 0; minute < this.options.warmUpMinutes; minute++) {
      for (const message of this.mix.nextMinute()) await this.publish(message)
    }
    await this.publisher.flush()
  }

  /** Keeps to its rate: what could not be sent while nobody took it is not made up for. */
  async run(): Promise<void> {
    const perTurn = (this.options.messagesPerSecond * TURN_MS) / 1_000
    let room = 0
    while (!this.stopping) {
      room = Math.min(room, 0) + perTurn
      while (room > 0 && !this.isStopping()) {
        for (const message of this.mix.nextMinute()) {
          await this.publish(message)
          room--
        }
      }
      await sleep(TURN_MS)
    }
  }

  private isStopping(): boolean {
    return this.stopping
  }

  async sendRest(): Promise<void> {
    for (const message of this.mix.rest()) await this.publish(message)
  }
}
