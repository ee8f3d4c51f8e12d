import { ENGINE_LIMITS } from './engine-limits.ts'

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
  /** 64 KiB hold no more than about this many readings that are any. */
  readingsPerPublishMax: 4_096,
  jsonDepthMax: 32,
  /** Beyond any quantity that is metered, and far from where sums of squares overflow a double. */
  valueMagnitudeMax: 1e15,
  /**
   * Times before 1973-03-03T09:46:40Z are refused: a clock that was never set says 1970, and from
   * here on seconds, milliseconds and microseconds since 1970 can be told apart by their size.
   */
  earliestAtMicros: 1e14,
  /**
   * Names of channels and topics whose checked form is remembered; all are forgotten together above
   * it.
   */
  rememberedNamesMax: 50_000,
  futureMicrosMax: 5 * 60 * 1_000_000,
  /** Open windows of one width that a total keeps: ten days of quarter hours in a fast replay. */
  totalsWindowsMax: 1_024,
  /** About 200 kB: what a control record of repair holds at most. */
  repairWindowsPerRecord: 2_000,
  repairEveryMs: 1_000,
  /** Windows that can still change are looked at again after this, and given up after a day. */
  repairAgainMs: 60_000,
  repairWaitsMsMax: 86_400_000,
  /** Meters and days of one tenant in a minute. */
  repairsPerTenantMinute: 600,
  repairsWaitingMax: 100_000,
  /** revision = epoch * 2^44 + offset stays an exact double below this. */
  epochMax: 511,
  offsetMax: 2 ** 44 - 1,

  // Servers and roles as children
  serverStartMs: 60_000,
  /** One after the other, with a little between, so that all is gone within 15 s as promised. */
  sampleHeadStartMs: 1_500,
  roleStopMs: 8_500,
  serverStopMs: 4_000,
  /** Between the ops ports of processors on one machine. */
  processorPortStep: 100,
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

  // The log
  logConnectMsMax: 3_000,
  /** One request; for a group it is less where its session is shorter. */
  logRequestMsMax: 15_000,
  logSessionMs: 15_000,
  /** Until a group has taken a new member in: a broker that starts may need most of it. */
  logJoinMsMax: 60_000,
  logHeartbeatMs: 500,
  /** How long a group waits for handlers under way before it goes on without their member. */
  logRebalanceMsMax: 60_000,
  /** Bytes that one fetch brings of a partition, and how long it waits where there are none. */
  logFetchBytes: 1024 * 1024,
  logFetchWaitMs: 50,
  /** Handlers under way at once in one process, each of another partition. */
  logHandlersMax: 8,
  logRetryMsMin: 100,
  logRetryMsMax: 2_000,
  logAdminRetriesMax: 8,
  /**
   * What a producer puts into one record batch; more goes in further requests. A single record may
   * be larger, up to `recordBytesMax`; the topics take batches of 2 MiB.
   */
  logAppendBytesMax: 1024 * 1024,
  recordBytesMax: 1_500_000,
  /** What goes to one topic in one request, and what may wait in one producer. */
  logLoadBytesMax: 8 * 1024 * 1024,
  logWaitingBytesMax: 64 * 1024 * 1024,
  logAppendRetriesMax: 6,
  /** Bytes that one fetch of a range brings. */
  logReadBytes: 4 * 1024 * 1024,
  /** Bytes of all partitions that one answer to a fetch may bring. */
  logFetchAnswerBytesMax: 8 * 1024 * 1024,

  ...ENGINE_LIMITS,

  // The bridge
  bridgeConnectionsMax: 20_000,
  /** A connection that has not said CONNECT by then is closed. */
  bridgeConnectMsMax: 10_000,
  /** What a message in flight weighs beside its bytes: the objects that hold it. */
  bridgeMessageOverheadBytes: 256,
  /**
   * What one connection may have in flight, and all of them together; above it TCP is left unread.
   * The total is what one turn of the loop may have to take up when Kafka comes back: 40,000 small
   * messages.
   */
  bridgeConnectionBytesMax: 2 * 1024 * 1024,
  bridgeInFlightBytesMax: 16 * 1024 * 1024,
  /** Frames begun and not ended, over all connections; who goes above it is disconnected. */
  bridgePartialBytesMax: 64 * 1024 * 1024,
  /** Packets that come in the same read as CONNECT, before it is answered. */
  bridgeEarlyPacketsMax: 16_384,
  /** QoS 2 publishes of one connection between PUBREC and PUBREL; their payloads are not kept. */
  bridgeQos2Max: 16_384,
  /**
   * One request to Kafka. Half of what a record batch of the topics may hold, if all is one
   * meter's.
   */
  bridgeAppendBytesMax: 1024 * 1024,
  /** What comes within this shares a request to Kafka. */
  bridgeGatherMs: 2,
  /** After a refusal the next append waits this long, twice as long each time. */
  bridgeAppendRetryMsMin: 200,
  bridgeAppendRetryMsMax: 2_000,
  bridgeKeepaliveCheckMs: 1_000,
  /** A device that sends and does not read its PUBACKs is not read either, and ended after this. */
  bridgeDrainMsMax: 60_000,
  /** How long what is in flight may take when the bridge stops, and then the devices' good-bye. */
  bridgeStopMs: 6_000,
  bridgeGoodbyeMs: 1_000,
  tickEveryMs: 10_000,
  /** Connections to the second source: each has one message at a time on its way. */
  brokerConnections: 16,
  /** What the broker keeps for us while we are away. */
  brokerSessionSeconds: 7 * 86_400,
  brokerRetryMs: 1_000,
  tokenCharactersMin: 22,

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
  /** History of one meter in one PUBLISH: two hours of minutes, 12 KiB. */
  simulateReadingsPerPublish: 120,
  simulateSaveEveryMs: 10_000,

  // QuestDB
  questdbQueryMsMax: 30_000,
  /** One page of rows that is streamed out. */
  questdbExportMsMax: 300_000,
  questdbDdlAttemptsMax: 5,
  /** So long a start waits for a view that is made anew, and for rows until all see them. */
  questdbAppliedMsMax: 20_000,
  /** A write: this, and a millisecond more for each of these bytes (100 kB/s is the slowest). */
  questdbWriteMsMax: 10_000,
  questdbWriteBytesPerMs: 100,
  questdbRetryMsMin: 100,
  questdbRetryMsMax: 5_000,
  /** After a write whose answer never came: what a server still held of it is done by then. */
  questdbSettleMs: 1_000,
  /** A request is a transaction: larger ones are merged cheaper, smaller ones hold less memory. */
  questdbRequestRowsMax: 50_000,
  /** Rows encoded at a stretch, so that the event loop is held for less than 20 ms. */
  questdbEncodeRowsMax: 5_000,
  /** A table whose writes wait longer than this makes the role not ready. */
  questdbStuckMs: 10_000,
  walPollEveryMs: 5_000,
  /**
   * Transactions that a table may be behind its WAL, for this long, before the role is not ready.
   */
  walLagTransactionsMax: 200,
  walLagMsMax: 60_000,
  /** A suspended table is resumed after this, and then after twice as long each time. */
  walResumeMsMin: 5_000,
  walResumeMsMax: 30_000,

  // The live feed
  /** The longest that a fetch of a tail waits at the broker for something new. */
  logTailWaitMs: 500,
  /** What comes within this goes to a client in one message. */
  liveFlushMs: 100,
  liveConnectionsMax: 10_000,
  liveSubscriptionsMax: 100,
  liveMessageBytesMax: 256 * 1024,
  /** Messages of one client in a second; who sends more is closed. */
  liveMessagesPerSecondMax: 200,
  livePingEveryMs: 20_000,
  /** A client that takes nothing for so long is closed; the look at it comes once a second. */
  liveStallMsMax: 7_000,
  /** What may wait in one connection's socket before more is held back or conflated. */
  liveSocketBytesMax: 256 * 1024,
  /** What may be held back for one connection, and how many items may be conflated for one. */
  liveHeldBytesMax: 4 * 1024 * 1024,
  liveConflatedItemsMax: 20_000,
  /** After the close frame a client that does not read is cut off. */
  liveCloseMs: 1_000,
  liveItemsPerMessage: 500,
  /** How far back a token may lie, and how many records one look back may read. */
  liveReplayMsMax: 300_000,
  liveReplayRecordsMax: 2_000_000,
  /** How long a subscription waits for this process to come to where its token is. */
  liveBehindMsMax: 5_000,
  /** Tokens of messages in mode `latest`: a repeat of an item is harmless there. */
  liveTokenEveryMs: 1_000,
  /** Records of each partition that a process looks at when it starts. */
  liveLookBackRecords: 20_000,
  liveSeedRetryMs: 2_000,

  // Dead letters sent again
  deadLetterWindow: 64,
  /** Marked together when their PUBACKs have come; a crash sends no more than these again. */
  deadLetterMarksAtOnce: 100,

  // Ledger, verify
  /** Lines that wait to be written together. */
  ledgerPendingChars: 64 * 1024,
  /** Slots of nine bytes: 300 MB for 23 million identities; more are taken in several passes. */
  verifySlotsMax: 2 ** 25,
  verifyPageRows: 1_000_000,
  verifyPollMs: 250,
  verifyPatienceMs: 60_000,
  /**
   * Differences that are told by name, and unexpected rows whose names are kept until it is known.
   */
  verifyNamedMax: 20,
  verifyNamesKeptMax: 10_000,
  /** Acknowledged readings that are not in the log and looked for among the dead letters. */
  verifyClaimsMax: 1_000_000,

  // Resink
  /** Looks at what the log got meanwhile, with this pause between them. */
  resinkRoundsMax: 5,
  resinkRoundMs: 500,
  /**
   * Baselines of a series that are not written where the log's beginning is gone: 96 windows until
   * the ring is full, and 25 hours of them over which a register's gap may be spread.
   */
  resinkWarmUpRows: 200,

  // The api
  /** Queries of one process that QuestDB has at once; others wait, so many and so long. */
  apiQueriesAtOnce: 8,
  apiQueriesWaitingMax: 256,
  apiQueryWaitMsMax: 5_000,
  /** A query that takes longer is ended. */
  apiQueryMsMax: 15_000,
  /** Said with every answer that means `later`. */
  apiRetryAfterSeconds: 2,
  /** Rows that a CSV answer asks of QuestDB at a time: a slow reader keeps no query open. */
  apiCsvRowsAtOnce: 5_000,
  /** A client that takes nothing of it for so long is cut off. */
  apiCsvStallMsMax: 60_000,
  /** Characters of a query that list meters by name, below what a request to QuestDB may hold. */
  apiListedCharactersMax: 8_192,
  /** How long an answer for all meters, and one of the other roles, is shared by requests. */
  apiIntervalsMs: 10_000,
  apiSharedMs: 1_000,
  apiSharedKeysMax: 1_000,
  /** Meters of a CSV answer that QuestDB is asked of at a time. */
  apiCsvMetersAtOnce: 500,
  /** Of what a person sent, in a problem. */
  apiShownCharactersMax: 120,
})
