import { LIMITS } from '../../kernel/limits.ts'
import { MICROS_PER_MILLI, type Micros, formatMicros } from '../../kernel/time.ts'
import type { LedgerReading } from '../ledger.ts'
import type { FileReading } from './rows.ts'

/** Names that mean something of their own in the short form of a reading. */
const RESERVED = new Set(['at', 'seq', 'quality', 'measurements'])

/** One PUBLISH: readings of one meter, in the order of the file. */
export interface Payload {
  readonly topic: string
  readonly text: string
  readonly readings: number
  /** Undefined where no ledger is kept. */
  readonly ledger: readonly LedgerReading[] | undefined
}

export function timeText(at: Micros): string {
  return at % MICROS_PER_MILLI === 0
    ? new Date(at / MICROS_PER_MILLI).toISOString()
    : formatMicros(at)
}

/**
 * `{"at":"...","power_w":1}`; with `measurements` where a channel bears a name of the form itself.
 */
export function readingText(reading: FileReading): string {
  const head = `{"at":"${timeText(reading.at)}"`
  const quality = reading.quality === undefined ? '' : `,"quality":"${reading.quality}"`
  const isPlain = !reading.channels.some((channel) => RESERVED.has(channel))
  return isPlain
    ? `${head}${quality},${reading.members}}`
    : `${head}${quality},"measurements":{${reading.members}}}`
}

interface Open {
  readonly meterId: string
  texts: string[]
  characters: number
  ledger: LedgerReading[]
}

/**
 * Gathers readings into publishes: `readingsMax` of one meter in one array, and never so many bytes
 * that the bridge would refuse them. What is gathered over all meters is bounded too.
 */
export class Payloads {
  readonly #tenant: string
  readonly #readingsMax: number
  readonly #keepsLedger: boolean
  readonly #open = new Map<string, Open>()
  #waiting = 0

  constructor(tenant: string, readingsMax: number, keepsLedger: boolean) {
    this.#tenant = tenant
    this.#readingsMax = readingsMax
    this.#keepsLedger = keepsLedger
  }

  /** Takes one reading. @returns The publishes that are full by it, mostly none. */
  add(reading: FileReading): Payload[] {
    const text = readingText(reading)
    const full: Payload[] = []
    let open = this.#open.get(reading.meterId)
    // A character may take three bytes of UTF-8.
    if (open && (open.characters + text.length) * 3 > LIMITS.readingPayloadBytesMax) {
      full.push(this.#take(open))
      open = undefined
    }
    if (open === undefined) {
      open = { meterId: reading.meterId, texts: [], characters: 0, ledger: [] }
      this.#open.set(reading.meterId, open)
    }
    open.texts.push(text)
    open.characters += text.length + 1
    this.#waiting += 1
    if (this.#keepsLedger) {
      const { meterId, at, channels } = reading
      open.ledger.push({ tenant: this.#tenant, meterId, at, channels })
    }
    if (open.texts.length >= this.#readingsMax) full.push(this.#take(open))
    if (this.#waiting > LIMITS.replayGatheredMax) full.push(...this.rest())
    return full
  }

  /** What is left. */
  rest(): Payload[] {
    return [...this.#open.values()].map((open) => this.#take(open))
  }

  #take(open: Open): Payload {
    this.#open.delete(open.meterId)
    this.#waiting -= open.texts.length
    return {
      topic: `fleet/${this.#tenant}/${open.meterId}/readings`,
      text: open.texts.length === 1 ? open.texts[0]! : `[${open.texts.join(',')}]`,
      readings: open.texts.length,
      ledger: this.#keepsLedger ? open.ledger : undefined,
    }
  }
}
