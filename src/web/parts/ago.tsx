import { nowMs } from '../shell/clock.ts'
import { agoText, fullTime } from '../text/times.ts'

/** How long ago something was, with its local time for who points at it. */
export function Ago({ at, zone }: { readonly at: number; readonly zone: string }) {
  const now = nowMs.value
  return (
    <time dateTime={new Date(at).toISOString()} title={fullTime(at, zone, now)}>
      {agoText(at, now)}
    </time>
  )
}
