/**
 * Every limit of the project, in one place: what is bounded, by how much, and why that much.
 * Units come last in a name. A limit that a user may set is the default of a setting in
 * `config.ts`.
 */
export const LIMITS = Object.freeze({
  // Names and records
  nameLengthMax: 256,
  /** A PUBLISH above this is disconnected and counted. */
  payloadBytesMax: 1024 * 1024,
  /** A payload above this is dead-lettered with its first bytes: nothing a meter says is longer. */
  readingPayloadBytesMax: 64 * 1024,
  deadLetterBytesMax: 64 * 1024,
  measurementsPerReadingMax: 1_024,
  readingsPerPublishMax: 10_000,
  jsonDepthMax: 32,
  futureMicrosMax: 5 * 60 * 1_000_000,
  /** revision = epoch * 2^44 + offset stays an exact double below this. */
  epochMax: 511,
  offsetMax: 2 ** 44 - 1,

  // Servers and roles as children
  serverStartMs: 60_000,
  /** Roles may take 9 s and servers 4 s, so that all is gone within the 15 s that are promised. */
  serverStopMs: 4_000,
  roleStopMs: 9_000,
  probeEveryMs: 50,
  probeTimeoutMs: 2_000,
  /** A child that dies is started again after this, twice as long with each death in a row. */
  restartMs: 500,
  restartMsMax: 30_000,
  /** A child that was ready for this long counts as well again. */
  restartCalmMs: 60_000,
  /** A holder that is cut off learns of it within this, and another one takes over. */
  leaseCheckMs: 2_000,
  lagWatchEveryMs: 5_000,
  /** Lines of a child's log that its death is reported with. */
  reportedLogLines: 12,

  // Engine
  /** Samples that one series keeps inside its horizon: one a second for more than four hours. */
  samplesPerSeriesMax: 16_384,

  // The publisher of replay, simulate and the benchmarks
  /** Publishes of one connection that wait for their PUBACK; packet ids end at 65,535. */
  publisherWindowMax: 16_384,
  publisherWindowBytes: 4 * 1024 * 1024,
  /** Handed to a socket in one write. */
  publisherChunkBytes: 64 * 1024,
  publisherKeepaliveSeconds: 30,
  publisherConnectMsMax: 10_000,
  publisherCloseMsMax: 2_000,
  /** What is not acknowledged when a person interrupts is waited for this long. */
  publisherGoodbyeMs: 5_000,
  publisherRetryMsMin: 50,
  publisherRetryMsMax: 2_000,

  // Replay
  /** A row of a CSV file, line ends inside quotes included. */
  csvRowCharactersMax: 1024 * 1024,
  /** Readings of one meter in one PUBLISH: about 10 KiB, so that a window of them stays small. */
  replayReadingsPerPublish: 100,
  /** Readings that wait, over all meters of a long file, for more of their meter. */
  replayGatheredMax: 50_000,
  /** Files, or groups of files that share a meter, that are read side by side. */
  replayGroupsAtOnce: 8,
  /** Identities remembered of local hours that are shown twice. */
  replayRepeatedMax: 100_000,
  replayStepMs: 1_000,

  // Ledger, verify
  /** Lines that wait to be written together. */
  ledgerPendingChars: 64 * 1024,
})
