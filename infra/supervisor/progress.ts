/** Where the supervisor tells people what it does. */
export interface Terminal {
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
  /** Whether stderr is a terminal. */
  readonly terminal: boolean
}

export interface Progress {
  /** A line that stays. */
  line(text: string): void
  /**
   * What is under way: on a terminal a line that is overwritten, elsewhere nothing until it is
   * done.
   */
  working(text: string): void
  /** The step is done; its line stays. */
  done(text: string): void
  close(): void
}

const SPINNER = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'
const CLEAR_LINE = '\r\x1b[2K'
const FRAME_MS = 100

export function makeProgress({ stderr, terminal }: Terminal): Progress {
  let doing: { text: string; sinceMs: number } | undefined
  let frame = 0
  let timer: NodeJS.Timeout | undefined

  function draw(): void {
    if (!terminal || doing === undefined) return
    const seconds = Math.floor((performance.now() - doing.sinceMs) / 1000)
    const spinner = SPINNER[frame++ % SPINNER.length] ?? ''
    stderr.write(`${CLEAR_LINE}${spinner} ${doing.text} (${seconds} s)`)
  }

  function write(text: string): void {
    stderr.write(terminal ? `${CLEAR_LINE}${text}\n` : `${text}\n`)
    draw()
  }

  function end(): void {
    clearInterval(timer)
    timer = undefined
    if (terminal && doing !== undefined) stderr.write(CLEAR_LINE)
    doing = undefined
  }

  return {
    line: write,
    working(text) {
      if (doing?.text !== text) doing = { text, sinceMs: performance.now() }
      if (terminal) timer ??= setInterval(draw, FRAME_MS)
      draw()
    },
    done(text) {
      const tookMs = doing === undefined ? undefined : performance.now() - doing.sinceMs
      end()
      write(tookMs === undefined ? text : `${text} (${(tookMs / 1000).toFixed(1)} s)`)
    },
    close: end,
  }
}
