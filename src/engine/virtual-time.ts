import { MICROS_PER_MILLI } from '../kernel/time.ts'
import type { Micros, Scheduler } from '../kernel/time.ts'

/** One that waits, and whose turn comes at a time that is known. */
interface Waiting {
  readonly dueMillis: number
  /** Decides between two that are due at once; the order of their calls where it is equal too. */
  readonly tie: number
  readonly order: number
  readonly process: VirtualProcess
  readonly go: () => void
}

export interface VirtualTimeOptions {
  /** Whose turn comes first where several are due at once; by default who asked first. */
  readonly tie?: () => number
  /** What one look at a process's clock costs; by default nothing, as if computing took no time. */
  readonly workMillis?: () => number
  readonly beginMicros?: Micros
}

/**
 * Time that goes on only when it is told to: a deterministic event loop. Whoever waits goes on in
 * the order of the due times, one at a time, and all that follows of it without waiting is done
 * before the next one. With the same calls all happens in the same order from run to run.
 */
export class VirtualTime {
  nowMillis = 0
  private readonly queue: Waiting[] = []
  private readonly options: VirtualTimeOptions
  private asked = 0

  constructor(options: VirtualTimeOptions = {}) {
    this.options = options
  }

  /** A process that waits by this time, and may be killed or paused as a whole. */
  process(): VirtualProcess {
    return new VirtualProcess(this)
  }

  get nowMicros(): Micros {
    const { beginMicros = 0 } = this.options
    return beginMicros + Math.floor(this.nowMillis * MICROS_PER_MILLI)
  }

  work(): void {
    this.nowMillis += this.options.workMillis?.() ?? 0
  }

  wait(process: VirtualProcess, millis: number, go: () => void): void {
    const dueMillis = this.nowMillis + Math.max(0, millis)
    const tie = this.options.tie?.() ?? 0
    push(this.queue, { dueMillis, tie, order: this.asked++, process, go })
  }

  /**
   * Lets the next one go on, and then all that can without waiting. False where nobody waits.
   */
  async step(): Promise<boolean> {
    // Beyond every promise that is settled: a tick comes when no reaction is left.
    await new Promise<void>((resolve) => process.nextTick(resolve))
    for (;;) {
      const next = pop(this.queue)
      if (next === undefined) return false
      if (next.process.takes(next.go)) {
        this.nowMillis = Math.max(this.nowMillis, next.dueMillis)
        next.go()
        break
      }
    }
    await new Promise<void>((resolve) => process.nextTick(resolve))
    return true
  }
}

/** The waiting of one process. */
export class VirtualProcess implements Scheduler {
  private readonly time: VirtualTime
  private isDead = false
  private isPaused = false
  private readonly held: (() => void)[] = []

  constructor(time: VirtualTime) {
    this.time = time
  }

  get alive(): boolean {
    return !this.isDead
  }

  nowMicros(): Micros {
    return this.time.nowMicros
  }

  monotonicMillis(): number {
    this.time.work()
    return this.time.nowMillis
  }

  /** Never ends in a process that was killed meanwhile. */
  sleep(millis: number, stop?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (this.isDead) return
      const end = () => resolve()
      // What follows an abort follows in the same step, as of any promise that is settled.
      if (stop?.aborted === true) end()
      else stop?.addEventListener('abort', end, { once: true })
      this.time.wait(this, millis, end)
    })
  }

  turn(): Promise<void> {
    return this.sleep(0)
  }

  /** Whoever waits in it waits for ever. */
  kill(): void {
    this.isDead = true
    this.held.length = 0
  }

  /** Whoever waits in it goes on at `resume`, as in a process that is stopped by a signal. */
  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
    for (const go of this.held.splice(0)) this.time.wait(this, 0, go)
  }

  /** Whether the process goes on now; where it is paused, it takes this up when it is resumed. */
  takes(go: () => void): boolean {
    if (this.isPaused && !this.isDead) this.held.push(go)
    return !this.isPaused && !this.isDead
  }
}

function isBefore(a: Waiting, b: Waiting): boolean {
  if (a.dueMillis !== b.dueMillis) return a.dueMillis < b.dueMillis
  return a.tie !== b.tie ? a.tie < b.tie : a.order < b.order
}

/** A binary heap: the first is the one that is due next. */
function push(heap: Waiting[], one: Waiting): void {
  let at = heap.length
  heap.push(one)
  while (at > 0) {
    const above = (at - 1) >>> 1
    if (!isBefore(one, heap[above]!)) break
    heap[at] = heap[above]!
    at = above
  }
  heap[at] = one
}

function pop(heap: Waiting[]): Waiting | undefined {
  const first = heap[0]
  const last = heap.pop()
  if (first === undefined || last === undefined || heap.length === 0) return first
  let at = 0
  for (;;) {
    let below = 2 * at + 1
    if (below >= heap.length) break
    if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++
    if (!isBefore(heap[below]!, last)) break
    heap[at] = heap[below]!
    at = below
  }
  heap[at] = last
  return first
}
