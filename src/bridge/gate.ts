/**
 * Bounds what is between the sockets and the log.
 *
 * - weight: the bytes that a message in flight costs us, see `weightOf` in `intake.ts`.
 * - shut: the weight is at its maximum. Who wants to read then is refused, waits in line, and its
 *   TCP is left unread, so that the device itself is slowed down.
 */
export class Gate {
  private readonly weightMax: number
  private readonly waiting = new Set<Waiter>()
  private weight = 0
  private isLocked = false
  private isWaking = false

  constructor(weightMax: number) {
    this.weightMax = weightMax
  }

  get inFlightBytes(): number {
    return this.weight
  }

  get waitingCount(): number {
    return this.waiting.size
  }

  get isShut(): boolean {
    return this.isLocked || this.weight >= this.weightMax
  }

  enter(weight: number): void {
    this.weight += weight
  }

  /** Wakes who waits once half of the room is free, so that nobody is woken for one message. */
  leave(weight: number): void {
    this.weight -= weight
    if (this.waiting.size > 0 && this.weight <= this.weightMax / 2) this.wakeAll()
  }

  /** Called again by `wake` when there is room; the first to wait is the first to be woken. */
  wait(waiter: Waiter): void {
    this.waiting.add(waiter)
  }

  forget(waiter: Waiter): void {
    this.waiting.delete(waiter)
  }

  /** For good: nobody reads any more. */
  lock(): void {
    this.isLocked = true
  }

  private wakeAll(): void {
    // Who is woken reads, and may get here again before it returns.
    if (this.isWaking) return
    this.isWaking = true
    for (const waiter of this.waiting) {
      if (this.isShut) break
      this.waiting.delete(waiter)
      waiter.wake()
    }
    this.isWaking = false
  }
}

export interface Waiter {
  wake(): void
}
