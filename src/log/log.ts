/**
 * The log's port: an append-only, partitioned, replayable record store (Kafka, or memory in tests).
 *
 * - topic: a named log, cut into numbered partitions; the order of records holds within one
 *   partition.
 * - offset: a record's place in its partition; whole, never reused, with gaps possible.
 * - end offset: the offset that the next appended record will get.
 * - append time: when the log took the record (LogAppendTime), milliseconds UTC, set by the log.
 * - group: subscribers that share the partitions of a topic; each partition has one owner at a
 *   time.
 * - generation: the number of a group's assignment. A partition is owned in one generation; what an
 *   owner of an older one still wants to commit is refused.
 *
 * Every adapter passes `test/contract/log.ts`. All clients of Kafka live in this folder alone.
 */

/**
 * Consecutive records of one partition, in columns. Record `i` (0 <= i < count) has its key and its
 * value as ranges of `bytes`; a range that starts at -1 is null. The arrays may be longer than
 * `count` and are the receiver's only until its handler has settled: what must outlive that is
 * copied.
 */
export interface RecordBatch {
  readonly topic: string
  readonly partition: number
  readonly count: number
  readonly offsets: Float64Array
  readonly appendMillis: Float64Array
  readonly bytes: Buffer
  readonly keyStart: Int32Array
  readonly keyEnd: Int32Array
  readonly valueStart: Int32Array
  readonly valueEnd: Int32Array
  /** The value of record `i`'s header `name`, or undefined. */
  header(i: number, name: string): Buffer | undefined
  /**
   * The offset to read on from after this batch; above the last record's where the log has gaps.
   */
  readonly nextOffset: number
}

/** A record on its way in. Without `partition` the key's murmur2 decides, as in Java's producer. */
export interface OutgoingRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly partition?: number
  readonly headers?: Readonly<Record<string, Buffer>>
}

/**
 * Records on their way in without an object each: header, key and value of one lie in `bytes`
 * behind those of the one before, the first's from `begin` on. The key decides the partition. The
 * bytes are not to be changed until the append has settled.
 */
export interface OutgoingBatch {
  readonly count: number
  /** The name of the one header that each record has. */
  readonly header: string
  readonly bytes: Buffer
  readonly begin: number
  /** Of record `i`, from 3 * i on: where its header, its key and its value end. */
  readonly ends: Int32Array
}

export type OutgoingRecords = readonly OutgoingRecord[] | OutgoingBatch

export interface AppendedRange {
  readonly partition: number
  /** Offset of the first record of this append in the partition; the others follow it in order. */
  readonly baseOffset: number
}

/**
 * Appends records. Within one producer and partition, records keep the order of the calls. A
 * promise that resolves means: in the log, acknowledged by all in-sync replicas. One that rejects
 * means: not known (the records may be there), so that the caller appends again and readers fold
 * the repeat.
 */
export interface Producer {
  append(topic: string, records: OutgoingRecords): Promise<readonly AppendedRange[]>
  close(): Promise<void>
}

export interface ProducerOptions {
  readonly clientId?: string
  /**
   * How long one request may take, retries within it not counted; below the session timeout for
   * fencing.
   */
  readonly requestTimeoutMs?: number
}

export interface TopicSpec {
  readonly topic: string
  readonly partitions: number
  /** Kafka's topic settings, such as 'cleanup.policy'. */
  readonly settings: Readonly<Record<string, string>>
}

/** A partition as its owner holds it. */
export interface OwnedPartition {
  readonly topic: string
  readonly partition: number
  readonly generation: number
}

export interface CommittedOffset {
  /** The offset to read next; -1 where nothing was ever committed. */
  readonly offset: number
  /** What the committer attached, '' where nothing. */
  readonly metadata: string
}

export interface CommitRequest extends OwnedPartition {
  readonly offset: number
  readonly metadata?: string
}

export interface SubscribeOptions {
  readonly group: string
  readonly topics: readonly string[]
  readonly sessionTimeoutMs?: number
  /** Bytes one fetch may bring a partition. */
  readonly fetchBytesMax?: number
  /**
   * The group has a new assignment (called again where a rejection is retryable). Answers, for
   * each partition, the offset to read from; a partition left out is read from its committed
   * offset, or from the beginning. No batch comes before the promise has settled. Partitions that
   * stay are listed again, under the new generation.
   */
  onAssigned(owned: readonly OwnedPartition[]): Promise<ReadonlyMap<string, number>>
  /**
   * The group is about to change; it waits for the answer, for so long as its rebalance may take.
   * Until then the generation holds, and what is committed counts: this is the place for a last
   * commit. Nothing more is handed over; `settled` resolves when the handlers under way are done.
   */
  onRebalancing?(settled: Promise<unknown>): Promise<void>
  /** These are lost, or about to be. Best effort: a paused process learns of it only afterwards. */
  onRevoked(lost: readonly OwnedPartition[]): Promise<void>
  /**
   * One batch. Batches of a partition come one at a time, in order; the next is handed over after
   * the promise has settled. Heartbeats go on meanwhile. A rejection ends the subscription through
   * `onFailed`.
   */
  onBatch(batch: RecordBatch, owned: OwnedPartition): Promise<void>
  /** The subscription has ended by itself and will not come back: the process should exit. */
  onFailed(error: unknown): void
}

/** The key of `onAssigned`'s answer. */
export function partitionKey(topic: string, partition: number): string {
  return `${topic}:${partition}`
}

export interface Subscription {
  /** Stops fetching these (back-pressure); the group keeps them. */
  pause(partitions: readonly { topic: string; partition: number }[]): void
  resume(partitions: readonly { topic: string; partition: number }[]): void
  /** @throws log.staleGeneration where the generation is no longer the group's. */
  commit(requests: readonly CommitRequest[]): Promise<void>
  /** The current generation of the group as this member knows it; -1 outside an assignment. */
  readonly generation: number
  close(): Promise<void>
}

export interface ReadOptions {
  readonly topic: string
  readonly partition: number
  /** First offset wanted; below the log's beginning it is the beginning. */
  readonly from: number
  /** Reads up to this offset, not included; by default the end offset at the time of the call. */
  readonly to?: number
}

export interface TailOptions {
  readonly topics: readonly string[]
  /**
   * The offset to read from, by `partitionKey`; a partition left out is read from its end as it is
   * at the call. Below the log's beginning it is the beginning.
   */
  readonly from?: ReadonlyMap<string, number>
  /** One batch, at most one at a time for each partition. A rejection ends the tail. */
  onBatch(batch: RecordBatch): Promise<void>
  /** A look at the log failed; it is tried again for as long as it takes. */
  onTrouble?(error: unknown): void
  /** The tail has ended by itself: what comes next is gone from the log, or `onBatch` rejected. */
  onFailed(error: unknown): void
}

/** Reads on and on, every partition, without a group. */
export interface Tail {
  /** The offset that each partition was first read from, by `partitionKey`. */
  readonly startedAt: ReadonlyMap<string, number>
  /** Resolves when no batch is being handled any more. */
  close(): Promise<void>
}

export interface Log {
  /**
   * Creates what is missing; leaves what is there. @throws log.partitionCount where a count
   * differs.
   */
  createTopics(specs: readonly TopicSpec[]): Promise<void>
  deleteTopics(topics: readonly string[]): Promise<void>
  partitionCount(topic: string): Promise<number>
  beginOffsets(topic: string): Promise<readonly number[]>
  endOffsets(topic: string): Promise<readonly number[]>
  /**
   * Frees what lies below `before` in a partition: it can be read no more, and the begin offset is
   * `before`. What is freed already stays so.
   */
  deleteRecords(topic: string, partition: number, before: number): Promise<void>
  committed(group: string, topic: string): Promise<readonly CommittedOffset[]>
  producer(options?: ProducerOptions): Promise<Producer>
  subscribe(options: SubscribeOptions): Promise<Subscription>
  /**
   * Reads a range of one partition without a group. The batches follow the rule of `RecordBatch`.
   */
  read(options: ReadOptions): AsyncIterable<RecordBatch>
  tail(options: TailOptions): Promise<Tail>
  /** The last `count` records of a partition, oldest first (fewer where there are fewer). */
  readEnd(topic: string, partition: number, count: number): Promise<RecordBatch>
  close(): Promise<void>
}
