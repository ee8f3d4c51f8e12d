/** The engine's part of `limits.ts`, through which it is read. */
export const ENGINE_LIMITS = {
  /** Samples that one series keeps inside its horizon: one a second for more than four hours. */
  samplesPerSeriesMax: 16_384,
  /** What a sliding window or a join looks back at is kept for so much longer. */
  lookBackMicrosMax: 24 * 3_600 * 1_000_000,
  /**
   * What a gap between two records of bridges counts for a meter's silence: three ticks. So an
   * outage of ours of an hour is half a minute of the fleet's.
   */
  silenceGapMicrosMax: 30 * 1_000_000,
  /**
   * No meter is silent sooner, however often it speaks: one gap as above, and the time in which
   * devices come back after an outage of ours.
   */
  silentAfterMicrosMin: 120 * 1_000_000,
  /** Keys that a task knows of one lookup table, and records of its topic in a process. */
  tableKeysMax: 200_000,
  tableRecordsMax: 2_000_000,
  /** How often an owner looks whether a table has new records. */
  tableCheckMs: 1_000,
  tableRetryMs: 500,
  /** A series that says nothing for so long is forgotten; slots looked at with each record. */
  engineRetentionHours: 35 * 24,
  engineSweptSlots: 32,
  engineFetchBytesMax: 1024 * 1024,
  /**
   * Records between two looks at the clock, and how long the event loop may be held. While a
   * snapshot is written a record may have to copy a dozen pages: a millisecond.
   */
  engineSliceRecords: 8,
  engineSliceMs: 10,
  /** The work by which it is told how fast records are taken in. */
  engineRateMs: 2_000,
  /** Rows and records that may wait to be sent before the source is slowed down. */
  engineOutputRowsMax: 100_000,
  engineGatherMs: 20,
  /** How often one that waits for room looks whether the group is rebalancing. */
  engineRoomCheckMs: 200,
  engineAppendRecords: 10_000,
  engineRetryMsMax: 5_000,
  /** Last sends and commits: when the process stops, and when the group changes. */
  engineDrainMs: 5_000,
  engineHandOverMs: 3_000,
  /** How long after a claim that ended it is asked again, where no rebalance follows. */
  engineClaimCheckMs: 500,
  /**
   * What a stale owner had under way has ended by then: what QuestDB is given for a request, and
   * what it may still hold of one that was broken off.
   */
  engineRewriteMs: 15_000 + 10_000 + 1_000,
  /**
   * How far back restated rows are kept to be written once more, by append time and by the
   * process's clock, whichever keeps more; and how many a table node.
   */
  engineRestatedMs: 3_600_000,
  engineRestatedRowsMax: 5_000,
  /** How many records of an output are looked through for the last one of a partition. */
  engineResumeRecordsMax: 65_536,
  /** How often it is looked whether the engine gets on, and how long it may not. */
  engineWatchMs: 5_000,
  engineStuckMs: 120_000,

  // Snapshots
  /** What one record of a snapshot holds, and how many are on their way at a time. */
  snapshotChunkBytes: 512 * 1024,
  snapshotChunksInFlight: 4,
  /** How long at a stretch one that is written holds the event loop before others have a turn. */
  snapshotHoldMs: 4,
  /** A snapshot is due when what came since takes this long to compute again... */
  snapshotReplaySeconds: 10,
  /** ... and no more often than this share of a processor pays for. */
  snapshotCpuShareMax: 0.05,
  /** What writing costs at least, by measurement: docs/design.md. */
  snapshotBytesPerCpuSecond: 128 * 1024 * 1024,
  /** Snapshots of each of two generations that a start may fall back to. */
  snapshotsKept: 2,
  /** Of one generation: their places are to fit into one record. */
  snapshotChunksMax: 20_000,
  /** What the last snapshots of a process that stops may take. */
  snapshotStopMs: 2_000,
} as const
