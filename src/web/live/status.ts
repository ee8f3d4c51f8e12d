/** What the header says of the connection. Times are ms. */

export type LiveStatus = 'connecting' | 'live' | 'reconnecting' | 'stale'

/** After this long without a connection what is on the page is called stale. */
export const STALE_AFTER_MS = 15_000

export interface LiveFacts {
  readonly isOpen: boolean
  readonly wasOpen: boolean
  /** When the connection was lost, or when the page was opened where it never was there. */
  readonly sinceMs: number
}

export function statusOf({ isOpen, wasOpen, sinceMs }: LiveFacts, nowMs: number): LiveStatus {
  if (isOpen) return 'live'
  if (nowMs - sinceMs >= STALE_AFTER_MS) return 'stale'
  return wasOpen ? 'reconnecting' : 'connecting'
}
