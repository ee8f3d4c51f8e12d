import { LIMITS } from '../../kernel/limits.ts'
import type { LedgerReading } from '../ledger.ts'
import { formatMicros } from '../../kernel/time.ts'
import type { LedgerReport } from './report.ts'

/**
 * What was acknowledged and is not in the log, by the payload that it came in: the dead letters
 * must have it. A dead letter of a whole message answers for all of its payload, one of an element
 * for one reading.
 */
export class Claims {
  private readonly byPayload = new Map<string, Set<string>>()
  private readonly unnamed = new Set<string>()
  private readonly elements = new Map<string, number>()
  private claimed = 0
  /** Beyond the limit: nobody looks for these among the dead letters, so they count as lost. */
  private beyond = 0

  /** @param reading Undefined for a payload that holds none. */
  claim(payload: string | undefined, reading: LedgerReading | undefined): void {
    if (this.claimed >= LIMITS.verifyClaimsMax) {
      this.beyond++
      return
    }
    const words = wordsOf(payload, reading)
    let claims = payload === undefined ? this.unnamed : this.byPayload.get(payload)
    if (claims === undefined) {
      claims = new Set()
      this.byPayload.set(payload!, claims)
    }
    if (!claims.has(words)) this.claimed++
    claims.add(words)
  }

  /** @param element Null where the whole message is dead. */
  deadLetter(payload: string, element: number | null): void {
    if (!this.byPayload.has(payload)) return
    const more = element === null ? Infinity : 1
    this.elements.set(payload, (this.elements.get(payload) ?? 0) + more)
  }

  report(lines: number): LedgerReport {
    const lost = [...this.unnamed]
    let deadLettered = 0
    for (const [payload, claims] of this.byPayload) {
      const answered = Math.min(claims.size, this.elements.get(payload) ?? 0)
      deadLettered += answered
      // Which of a payload's readings the dead letters answer for is not told: the first ones.
      lost.push(...[...claims].slice(answered))
    }
    const first = lost.slice(0, LIMITS.verifyNamedMax)
    return { lines, deadLettered, lost: { count: lost.length + this.beyond, first } }
  }
}

function wordsOf(payload: string | undefined, reading: LedgerReading | undefined): string {
  if (reading === undefined) return `payload ${String(payload)}`
  const { tenant, meterId, at, channels } = reading
  return `${tenant}/${meterId} ${channels.join(',')} ${formatMicros(at)}`
}
