import { f64, i32, u8 } from './columns.ts'

/** How many gaps tell a series' expected interval. */
export const GAPS = 12
export const NO_SERIES = -1

/** What is known of a meter. */
export const METER_COLUMNS = {
  newestAt: f64(1, -Infinity),
  disorder: f64(),
  expected: f64(1, NaN),
  /** The watermark at which something closes or freezes. */
  due: f64(1, -Infinity),
  /** The registry's expected interval, or the shortest that a series has learned. */
  interval: f64(1, NaN),
  /** How long it says nothing before it counts as silent; NaN while its interval is unknown. */
  silentAfter: f64(1, NaN),
  /** The latest end of a window that silence closed. */
  ahead: f64(),
  first: i32(1, NO_SERIES),
  /** The series that the last reading began with. */
  lead: i32(1, NO_SERIES),
}
/** What is known of a series. */
export const SERIES_COLUMNS = {
  meter: i32(),
  channel: i32(),
  /** The next series of the meter; of a free slot, the next free one. */
  next: i32(1, NO_SERIES),
  /** The series that came after this in the last reading. */
  follow: i32(1, NO_SERIES),
  /** The hour of append time in which the series was last heard of; 0 of a free slot. */
  heard: i32(),
  kind: u8(),
  labelEnd: u8(),
  /** Wh in one unit; NaN where it is none of energy. */
  wattHours: f64(1, NaN),
  rolloverAt: f64(1, NaN),
  gapMax: f64(),
  length: f64(1, NaN),
  expected: f64(1, NaN),
  newestAt: f64(1, -Infinity),
  gapCount: u8(),
  /** In whole seconds. */
  gaps: i32(GAPS),
  settledAt: f64(1, NaN),
  settledWh: f64(1, NaN),
  givenWh: f64(),
  boundary: f64(1, -Infinity),
  pending: i32(),
}
