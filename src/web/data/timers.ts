/** What is to be done later, for as long as somebody is there to see it. */
export class Timers {
  private readonly waiting = new Set<ReturnType<typeof setTimeout>>()

  after(ms: number, work: () => unknown): void {
    const timer = setTimeout(() => {
      this.waiting.delete(timer)
      work()
    }, ms)
    this.waiting.add(timer)
  }

  close(): void {
    for (const timer of this.waiting) clearTimeout(timer)
  }
}
