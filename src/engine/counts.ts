/** What a task counts; the runtime makes metrics of it. */
export interface TaskCounts {
  records: number
  measurements: number
  duplicates: number
  bad: number
  beyondHorizon: number
  restated: number
  unreadable: number
  crowdedOut: number
  /** Advances of lookup tables, rows taken by them, and records of tables that were none. */
  advances: number
  tableRecords: number
  tableRefused: number
  /** Windows that were looked up anew because a row of a table was corrected. */
  relooked: number
  /** Meters that fell silent, and that came back. */
  silent: number
  back: number
  /** Windows that repair has restated; out of date results; windows that can still change. */
  repaired: number
  repairsStale: number
  repairsUnfrozen: number
}

export const noCounts = (): TaskCounts => ({
  records: 0,
  measurements: 0,
  duplicates: 0,
  bad: 0,
  beyondHorizon: 0,
  restated: 0,
  unreadable: 0,
  crowdedOut: 0,
  advances: 0,
  tableRecords: 0,
  tableRefused: 0,
  relooked: 0,
  silent: 0,
  back: 0,
  repaired: 0,
  repairsStale: 0,
  repairsUnfrozen: 0,
})
