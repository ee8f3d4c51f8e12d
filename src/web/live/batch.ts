/**
 * Gathers what comes and hands it over at once, at most once a frame: two hundred meters at several
 * readings a second are drawn sixty times a second at most.
 */
export class Batch<T> {
  private waiting: T[] = []
  private isDue = false
  private readonly schedule: (work: () => void) => void
  private readonly use: (items: readonly T[]) => void

  /** @param schedule Calls its work once, soon: on the next frame. */
  constructor(schedule: (work: () => void) => void, use: (items: readonly T[]) => void) {
    this.schedule = schedule
    this.use = use
  }

  add(items: readonly T[]): void {
    for (const item of items) this.waiting.push(item)
    if (this.isDue || this.waiting.length === 0) return
    this.isDue = true
    this.schedule(() => {
      this.isDue = false
      const items = this.waiting
      this.waiting = []
      this.use(items)
    })
  }
}
