import { hash } from 'node:crypto'
import {
  closeSync,
  createReadStream,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs'
import { createInterface } from 'node:readline'
import { messageOf } from '../kernel/errors.ts'
import { isName } from '../kernel/ids.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { Micros } from '../kernel/time.ts'
import { verifyErrors } from './verify/errors.ts'

/**
 * The ledger: what a publisher was told is safe. One line a reading whose PUBLISH got its PUBACK,
 * appended after the PUBACK came; `meterloom verify --ledger` then asks of each that it is in the
 * log or among the dead letters.
 *
 *   {"tenant":"demo","meterId":"m-1","at":1764547200000000,"channels":["a"],"payload":"9f86d0..."}
 *   {"payload":"60303a..."}
 *
 * - at: microseconds UTC.
 * - payload: the first 32 hex digits of the PUBLISH payload's SHA-256, by which a dead letter is
 *   found. A line of it alone is a payload that holds no reading, such as poison sent on purpose.
 *
 * A line that was not finished when its writer was killed is left out: its reading was
 * acknowledged, but that nobody has claimed.
 */
export interface LedgerReading {
  readonly tenant: string
  readonly meterId: string
  readonly at: Micros
  readonly channels: readonly string[]
}

export interface LedgerLine {
  /** Undefined where the payload holds no reading. */
  readonly reading: LedgerReading | undefined
  readonly payload: string | undefined
}

const PAYLOAD_HASH_CHARS = 32

/** How the ledger names a payload. */
export function payloadName(payload: Uint8Array): string {
  return nameOfSha256(hash('sha256', payload, 'hex'))
}

/** The same of a payload whose SHA-256 is known, in hex: a dead letter's. */
export function nameOfSha256(sha256: string): string {
  return sha256.slice(0, PAYLOAD_HASH_CHARS)
}

export interface Ledger {
  /**
   * One PUBACK: the readings of its payload, none where it held none. Without `payload` a reading
   * that became a dead letter counts as lost.
   */
  acknowledged(readings: readonly LedgerReading[], payload?: Uint8Array): void
  /** Hands what was noted to the operating system: a kill of this process loses none of it. */
  flush(): void
  close(): void
}

/** Opens a ledger to append to; a last line that was cut by a kill is taken away first. */
export function openLedger(path: string): Ledger {
  const file = openSync(path, 'a+')
  ftruncateSync(file, wholeLinesLength(file))
  let pending: string[] = []
  let chars = 0
  const flush = () => {
    if (pending.length === 0) return
    const bytes = Buffer.from(pending.join(''))
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at)
    pending = []
    chars = 0
  }
  const add = (line: object) => {
    const text = `${JSON.stringify(line)}\n`
    pending.push(text)
    chars += text.length
    if (chars >= LIMITS.ledgerPendingChars) flush()
  }
  return {
    acknowledged(readings, payload) {
      const named = payload === undefined ? {} : { payload: payloadName(payload) }
      for (const { tenant, meterId, at, channels } of readings) {
        add({ tenant, meterId, at, channels, ...named })
      }
      if (readings.length === 0 && payload !== undefined) add(named)
    },
    flush,
    close() {
      flush()
      closeSync(file)
    },
  }
}

/** Bytes up to and with the last newline. */
function wholeLinesLength(file: number): number {
  const chunk = Buffer.alloc(64 * 1024)
  let end = fstatSync(file).size
  while (end > 0) {
    const from = Math.max(0, end - chunk.length)
    const count = readSync(file, chunk, 0, end - from, from)
    const newline = chunk.subarray(0, count).lastIndexOf(0x0a)
    if (newline >= 0) return from + newline + 1
    end = from
  }
  return 0
}

/** Bytes of the whole lines that a ledger has now. @throws verify.noLedger */
export function ledgerLength(path: string): number {
  try {
    const file = openSync(path, 'r')
    try {
      return wholeLinesLength(file)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    throw verifyErrors.noLedger({ path, detail: messageOf(error) }, error)
  }
}

/**
 * Reads a ledger line by line, in bounded memory.
 *
 * @param length Reads no further than this, what `ledgerLength` once answered: a ledger may grow
 *   meanwhile.
 * @throws verify.noLedger, verify.badLedgerLine naming the line.
 */
export async function* readLedger(
  path: string,
  length = ledgerLength(path),
): AsyncGenerator<LedgerLine> {
  if (length === 0) return
  const lines = createInterface({
    input: createReadStream(path, { end: length - 1 }),
    crlfDelay: Infinity,
  })
  let line = 0
  for await (const text of lines) {
    line++
    if (text !== '') yield parseLine(path, line, text)
  }
}

function parseLine(path: string, line: number, text: string): LedgerLine {
  let any: unknown
  try {
    any = JSON.parse(text)
  } catch (error) {
    throw verifyErrors.badLedgerLine({ path, line, text: text.slice(0, 200) }, error)
  }
  const { tenant, meterId, at, channels, payload } = (any ?? {}) as Record<string, unknown>
  const hasPayload = typeof payload === 'string'
  if (tenant === undefined && hasPayload) return { reading: undefined, payload }
  const isReading =
    typeof tenant === 'string' &&
    typeof meterId === 'string' &&
    Number.isSafeInteger(at) &&
    Array.isArray(channels) &&
    channels.every((name) => typeof name === 'string') &&
    [tenant, meterId, ...channels].every(isName)
  if (!isReading) throw verifyErrors.badLedgerLine({ path, line, text: text.slice(0, 200) })
  return {
    reading: { tenant, meterId, at: at as number, channels },
    payload: hasPayload ? payload : undefined,
  }
}
