import { type CliIo, note } from './io.ts'

/** Seconds between two lines where there is no terminal to draw a bar on. */
const LINE_EVERY_SECONDS = 5

export interface PublishProgress {
  /** @param done Of `total`, in any unit. @param text What stands beside the bar. */
  update(done: number, total: number, text: string): void
  /** Leaves the terminal as it was. Nothing is drawn any more; called again, it does nothing. */
  stop(): void
}

/** A bar on a terminal, a plain line now and then elsewhere. */
export async function publishProgress(io: CliIo, label: string): Promise<PublishProgress> {
  if (!io.terminal) return lines(io, label)
  const { SingleBar } = await import('cli-progress')
  const bar = new SingleBar({
    format: `${label} [{bar}] {percentage} % | {text}`,
    stream: io.stderr,
    hideCursor: true,
    clearOnComplete: true,
    linewrap: false,
  })
  bar.start(1, 0, { text: '' })
  return {
    update: (done, total, text) => {
      if (!bar.isActive) return
      bar.setTotal(Math.max(1, total))
      bar.update(done, { text })
    },
    stop: () => {
      if (bar.isActive) bar.stop()
    },
  }
}

function lines(io: CliIo, label: string): PublishProgress {
  let lastMs = performance.now()
  return {
    update: (done, total, text) => {
      if (performance.now() - lastMs < LINE_EVERY_SECONDS * 1_000) return
      lastMs = performance.now()
      const percent = total > 0 ? Math.min(100, Math.floor((100 * done) / total)) : 0
      note(io, `${label} ${percent} % | ${text}`)
    },
    stop: () => undefined,
  }
}
