import { random } from '../support/random.ts'

/** How often each fault comes where it may come, on average over the seeds. */
const USUAL = {
  // Of processes
  'crash anywhere': 0.002,
  'crash before a call': 0.008,
  'crash after a call': 0.008,
  'pause past the session': 0.01,
  'pause within the session': 0.01,
  'leave and come back': 0.01,
  // Of tables
  'table: part of a batch': 0.3,
  'table: not taken': 0.03,
  'table: taken, not acknowledged': 0.03,
  'table: slow': 0.03,
  'table: refused': 0.004,
  // Of the log
  'append: not taken': 0.06,
  'append: part of it taken': 0.06,
  'append: taken, not acknowledged': 0.06,
  'commit: not taken': 0.03,
  'commit: taken, not acknowledged': 0.03,
  'read: fails': 0.02,
  'state: a record is damaged': 0.05,
} as const

export type Fault = keyof typeof USUAL
export const FAULTS = Object.keys(USUAL) as readonly Fault[]

/**
 * What happens by chance, by seed alone. Each concern has a sequence of its own, so that with one
 * fault left out the others stay much as they were. Each seed leaves out some faults by itself and
 * makes others frequent: what hides one fault behind another is not always there.
 */
export class Dice {
  private readonly seed: number
  private readonly streams = new Map<string, () => number>()
  private readonly rates = new Map<Fault, number>()
  readonly reached = new Map<string, number>()
  /** No more faults: what is left to do is to become whole again. */
  isHealed = false

  constructor(seed: number, without: ReadonlySet<string>) {
    this.seed = seed
    for (const fault of FAULTS) {
      const kind = this.next('rates')
      const rate = USUAL[fault] * 4 * this.next('rates')
      this.rates.set(fault, kind < 0.4 || without.has(fault) ? 0 : rate)
    }
  }

  /** The next number in [0, 1) of a concern. */
  next(concern: string): number {
    let stream = this.streams.get(concern)
    if (stream === undefined) {
      let salt = this.seed
      for (const unit of concern) salt = Math.imul(salt ^ unit.charCodeAt(0), 0x01000193)
      stream = random(salt)
      this.streams.set(concern, stream)
    }
    return stream()
  }

  /** A whole number in [from, to]. */
  whole(concern: string, from: number, to: number): number {
    return from + Math.floor(this.next(concern) * (to - from + 1))
  }

  chance(concern: string, share: number): boolean {
    return this.next(concern) < share
  }

  /** Whether the fault comes here. */
  hit(fault: Fault): boolean {
    const comes = this.next(fault) < this.rates.get(fault)! && !this.isHealed
    if (comes) this.reach(fault)
    return comes
  }

  reach(what: string, times = 1): void {
    this.reached.set(what, (this.reached.get(what) ?? 0) + times)
  }
}
