import { performance } from 'node:perf_hooks'

/** How long the event loop was held at a stretch: by the clock, and by the thread's own CPU. */
export interface Held {
  readonly wallMs: number
  /** What others took of the processor is not in it. */
  readonly cpuMs: number
}

/** Looks each millisecond whether the event loop still turns. */
export class LoopWatch {
  private readonly timer: NodeJS.Timeout
  private seenMs = performance.now()
  private seenCpu = process.threadCpuUsage()
  private wallMs = 0
  private cpuMs = 0

  constructor() {
    this.timer = setInterval(() => this.look(), 1)
  }

  private look(): void {
    const nowMs = performance.now()
    const { user, system } = process.threadCpuUsage(this.seenCpu)
    this.wallMs = Math.max(this.wallMs, nowMs - this.seenMs)
    this.cpuMs = Math.max(this.cpuMs, (user + system) / 1_000)
    this.seenMs = nowMs
    this.seenCpu = process.threadCpuUsage()
  }

  /** The longest stretch since it was made. */
  end(): Held {
    clearInterval(this.timer)
    this.look()
    return { wallMs: this.wallMs, cpuMs: this.cpuMs }
  }
}

export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
