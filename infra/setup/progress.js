/**
 * Progress of set-up on stderr, so that stdout stays the command's own. A terminal gets one line a
 * step, rewritten as it goes on; anything else gets plain lines and a sign of life every ten
 * seconds.
 */

const HEARTBEAT_MS = 10_000
const FRAME_MS = 120
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

/**
 * @typedef {object} Out
 * @property {(text: string) => unknown} write
 * @property {boolean} [isTTY]
 * @property {number} [columns]
 *
 * @typedef {object} Step
 * @property {(text: string) => void} detail How far it is; shown when the line is next drawn.
 * @property {(text?: string) => void} done
 * @property {() => void} failed
 */

/**
 * @param {Out} out
 * @param {string} name
 * @param {{ colours?: boolean, nowMs?: () => number, heartbeatMs?: number }} [options]
 * @returns {Step}
 */
export function startStep(out, name, options = {}) {
  return out.isTTY ? onTerminal(out, name, options) : inPlainLines(out, name, options)
}

/** @param {number} ms */
export function elapsed(ms) {
  const seconds = Math.round(ms / 1000)
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/**
 * @type {(out: Out, name: string, options: { nowMs?: () => number, heartbeatMs?: number }) => Step}
 */
function inPlainLines(out, name, { nowMs = Date.now, heartbeatMs = HEARTBEAT_MS }) {
  const startedMs = nowMs()
  let latest = ''
  /** @param {string} text */
  const line = (text) => out.write(`set-up: ${name}${text}\n`)
  const heartbeat = setInterval(() => {
    line(`: ${latest === '' ? '' : `${latest}, `}${elapsed(nowMs() - startedMs)} so far`)
  }, heartbeatMs)
  heartbeat.unref()
  line(' ...')
  return {
    detail: (text) => {
      latest = text
    },
    done: (text = 'done') => {
      clearInterval(heartbeat)
      line(`: ${text}, ${elapsed(nowMs() - startedMs)}`)
    },
    failed: () => {
      clearInterval(heartbeat)
      line(`: failed after ${elapsed(nowMs() - startedMs)}`)
    },
  }
}

/**
 * @type {(out: Out, name: string, options: { colours?: boolean, nowMs?: () => number }) => Step}
 */
function onTerminal(
  out,
  name,
  { colours = process.env['NO_COLOR'] === undefined, nowMs = Date.now },
) {
  const startedMs = nowMs()
  let latest = ''
  let frame = 0
  /** @type {(code: number, text: string) => string} */
  const paint = (code, text) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text)
  /** @type {(sign: string, code: number, text: string) => void} */
  const draw = (sign, code, text) => {
    const time = elapsed(nowMs() - startedMs)
    const room = (out.columns ?? 80) - name.length - time.length - 8
    const shown = text.length > room ? `${text.slice(0, Math.max(0, room - 1))}…` : text
    out.write(`\r\u001b[2K${paint(code, sign)} ${name}  ${shown} ${paint(2, time)}`)
  }
  const turning = setInterval(() => {
    frame = (frame + 1) % FRAMES.length
    draw(FRAMES[frame] ?? '', 36, latest)
  }, FRAME_MS)
  turning.unref()
  draw(FRAMES[0] ?? '', 36, '')
  /** @type {(sign: string, code: number, text: string) => void} */
  const end = (sign, code, text) => {
    clearInterval(turning)
    draw(sign, code, text)
    out.write('\n')
  }
  return {
    detail: (text) => {
      latest = text
    },
    done: (text = 'done') => {
      end('✔', 32, text)
    },
    failed: () => {
      end('✖', 31, 'failed')
    },
  }
}
