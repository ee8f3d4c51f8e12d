import { isName } from '../../kernel/ids.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { days, type Micros } from '../../kernel/time.ts'
import { QUALITIES, type Quality } from '../../schemas/records.ts'
import { payloadErrors, shown, shownTime } from './errors.ts'

/**
 * What every reading has to keep, in whatever form it came. Each check throws of `payloadErrors`.
 */

/** Names that were found good. The same few come again with every message. */
const goodNames = new Set<string>()

export function checkChannel(channel: string): void {
  if (goodNames.has(channel)) return
  // A name such as __proto__ or toString would be found in any plain object that is keyed by
  // channel.
  if (!isName(channel) || !channel.isWellFormed() || channel in Object.prototype) {
    throw payloadErrors.badChannel({ channel })
  }
  if (goodNames.size >= LIMITS.rememberedNamesMax) goodNames.clear()
  goodNames.add(channel)
}

export function checkNumber(channel: string, value: number): void {
  if (!Number.isFinite(value)) throw payloadErrors.notFinite({ channel, value })
  if (Math.abs(value) > LIMITS.valueMagnitudeMax) throw payloadErrors.outOfRange({ channel, value })
}

export function qualityOf(value: unknown): Quality {
  const quality = QUALITIES.find((each) => each === value)
  if (quality === undefined) throw payloadErrors.badQuality({ value: shown(value) })
  return quality
}

/** null where there is none. */
export function seqOf(value: unknown): number | null {
  if (value === undefined || value === null) return null
  if (!Number.isSafeInteger(value)) throw payloadErrors.badSeq({ value: shown(value) })
  return value as number
}

export interface AgeLimits {
  /** undefined: readings of any age are taken. */
  readonly maxAgeDays: number | undefined
}

/** @throws payload.tooEarly, payload.inFuture, payload.tooOld. */
export function checkAge(at: Micros, receivedAt: Micros, limits: AgeLimits): void {
  if (at < LIMITS.earliestAtMicros) throw payloadErrors.tooEarly({ value: shownTime(at) })
  if (at > receivedAt + LIMITS.futureMicrosMax) {
    throw payloadErrors.inFuture({ at: shownTime(at), receivedAt: shownTime(receivedAt) })
  }
  const { maxAgeDays } = limits
  if (maxAgeDays !== undefined && at < receivedAt - days(maxAgeDays)) {
    throw payloadErrors.tooOld({ at: shownTime(at), days: maxAgeDays })
  }
}
