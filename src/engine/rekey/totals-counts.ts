/** What totals count; metrics are made of it. */
export interface TotalsCounts {
  /** Windows of series that were taken in. */
  contributions: number
  /** Records that had come before: appended twice, or by two owners. */
  repeated: number
  /** Contributions to windows that are closed for ever. */
  late: number
  /** Contributions to windows that end later than their reading was appended. */
  ahead: number
  /** Records that are none. */
  unreadable: number
}

export const noTotalsCounts = (): TotalsCounts => ({
  contributions: 0,
  repeated: 0,
  late: 0,
  ahead: 0,
  unreadable: 0,
})
