import type { TableSpec } from '../schemas/tables.ts'

/**
 * The port of what takes the engine's rows out of the process.
 *
 * - row batch: rows of one table, in columns, in the order they were emitted. A later row of a
 *   batch with the same keys replaces an earlier one.
 * - acknowledged: the sink's server has taken the rows so that a kill of any process loses none.
 *   Only then may the offsets that they came from be committed.
 */
export interface RowBatch {
  readonly spec: TableSpec
  readonly count: number
  /**
   * One column for each of `spec.columns`, in that order. timestamp, double, long: Float64Array
   * (null is NaN). boolean: Uint8Array (0, 1). symbol: strings (null is undefined). May be longer
   * than `count`.
   */
  readonly columns: readonly (Float64Array | Uint8Array | readonly (string | undefined)[])[]
}

/**
 * The right of who hands rows over to have them written. It ends when the partitions that they come
 * from may belong to somebody else.
 */
export interface Claim {
  /** Asked right before what makes a request whole is sent. */
  holds(): boolean
  /** Aborts when a request that is under way is to be broken off. */
  readonly signal: AbortSignal
}

export interface TableSink {
  /**
   * Resolves when all rows are acknowledged. Retries by itself for as long as the server is away;
   * rejects only where a retry cannot help. Writing a batch again changes nothing. The batch is not
   * to be changed until then.
   *
   * @throws engine.staleOwner where the claim ends before all is acknowledged.
   */
  write(batch: RowBatch, claim?: Claim): Promise<void>
  /** Why rows have been waiting for long, one line a table; none where they do not. */
  problems?(): readonly string[]
  close(): Promise<void>
}
