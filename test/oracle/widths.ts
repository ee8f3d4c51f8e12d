import { localDay, localMonth } from './local-calendar.ts'

const MINUTE = 60_000_000
export const PANE = 15 * MINUTE

/** Windows of one width of one series. */
export interface Width {
  readonly name: string
  /** Whether it is longer than what is still known when it can change no more. */
  readonly isLong: boolean
  /** `[start, end)` of the window that holds a time. */
  readonly holding: (time: number) => readonly [number, number]
}

export const fixed = (name: string, micros: number): Width => ({
  name,
  isLong: false,
  holding: (time) => {
    const start = Math.floor(time / micros) * micros
    return [start, start + micros]
  },
})

/** Times come near each other, so the window that was found last is looked at first. */
const local = (name: string, find: (time: number) => readonly [number, number]): Width => {
  let last: readonly [number, number] = [NaN, NaN]
  const holding = (time: number) => {
    if (!(time >= last[0] && time < last[1])) last = find(time)
    return last
  }
  return { name, isLong: true, holding }
}

export const widthsOf = (zone: string): readonly Width[] => [
  fixed('1m', MINUTE),
  fixed('15m', PANE),
  fixed('1h', 4 * PANE),
  local('1d', (time) => localDay(zone, time)),
  local('1mo', (time) => localMonth(zone, time)),
]
