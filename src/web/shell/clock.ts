import { signal } from '@preact/signals'
import { serverNowMs } from '../rest/ask.ts'

/** The server's time, ms, once a second: what relative times and live charts move by. */
export const nowMs = signal(serverNowMs())

setInterval(() => {
  if (!document.hidden) nowMs.value = serverNowMs()
}, 1_000)

document.addEventListener('visibilitychange', () => {
  nowMs.value = serverNowMs()
})
