import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { engineErrors } from '../engine/errors.ts'
import type { Claim, RowBatch, TableSink } from '../engine/sink.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { TableSpec } from '../schemas/tables.ts'
import { sinkErrors } from './errors.ts'
import { IlpEncoder } from './ilp-encoder.ts'
import { type IlpClient, type Outcome, ilpClient } from './ilp-request.ts'
import { questdbAddress } from './questdb-http.ts'
import { rowWords } from './row-words.ts'
import { orderByTime } from './row-order.ts'
import { type SinkMetrics, sinkMetrics } from './sink-metrics.ts'

export interface QuestdbSinkOptions {
  readonly questdbUrl: string
  /** Put before the name of every table. */
  readonly prefix: string
  readonly metrics?: Registry
  readonly logger?: Logger
  /** How long a request may take beside its bytes; for tests of a server that hangs. */
  readonly requestTimeoutMs?: number
}

export interface QuestdbSink extends TableSink {
  /** Why rows have been waiting for more than 10 s, one line a table; empty where none do. */
  problems(): readonly string[]
}

/**
 * The tables' sink over QuestDB's HTTP line protocol.
 *
 * A table has at most one request under way, and its batches are written in the order of the calls:
 * QuestDB keeps of two rows with one identity the one that came last. Tables do not wait for each
 * other. What is not acknowledged is sent again for as long as it takes; DEDUP makes of the repeat
 * one row.
 */
export function questdbSink(options: QuestdbSinkOptions): QuestdbSink {
  const address = questdbAddress(options.questdbUrl)
  const timeoutMs = options.requestTimeoutMs ?? LIMITS.questdbWriteMsMax
  const client = ilpClient(address, { timeoutMs })
  const metrics = options.metrics === undefined ? undefined : sinkMetrics(options.metrics)
  const stop = new AbortController()
  const writers = new Map<string, TableWriter>()

  function writerOf(spec: TableSpec): TableWriter {
    let writer = writers.get(spec.table)
    if (writer === undefined) {
      const table = `${options.prefix}${spec.table}`
      const { logger } = options
      writer = new TableWriter({ spec, table, client, stop: stop.signal, metrics, logger })
      writers.set(spec.table, writer)
    }
    return writer
  }

  return {
    write: (batch, claim) => writerOf(batch.spec).write(batch, claim),
    problems: () => [...writers.values()].flatMap((writer) => writer.problem() ?? []),
    async close() {
      stop.abort()
      await Promise.all([...writers.values()].map((writer) => writer.idle()))
      client.close()
    },
  }
}

interface WriterOptions {
  readonly spec: TableSpec
  readonly table: string
  readonly client: IlpClient
  readonly stop: AbortSignal
  readonly metrics: SinkMetrics | undefined
  readonly logger: Logger | undefined
}

class TableWriter {
  private readonly options: WriterOptions
  private readonly encoder: IlpEncoder
  /** Settles when the last batch that was handed in is done with. */
  private last: Promise<void> = Promise.resolve()
  private failingSinceMs: number | undefined
  private failure = ''
  /** A request was broken off with its claim, and the server may hold it yet. */
  private leftUnknown = false

  constructor(options: WriterOptions) {
    this.options = options
    this.encoder = new IlpEncoder(options.spec, options.table)
  }

  write(batch: RowBatch, claim?: Claim): Promise<void> {
    const written = this.last.then(() => this.writeNow(batch, claim))
    // What fails is the caller's to know; the next batch is another matter.
    this.last = written.catch(() => undefined)
    return written
  }

  idle(): Promise<void> {
    return this.last
  }

  problem(): string | undefined {
    if (this.failingSinceMs === undefined) return undefined
    const waitedMs = performance.now() - this.failingSinceMs
    if (waitedMs < LIMITS.questdbStuckMs) return undefined
    const seconds = Math.round(waitedMs / 1000)
    return `questdb: rows of ${this.options.table} wait for ${seconds} s: ${this.failure}`
  }

  private async writeNow(batch: RowBatch, claim: Claim | undefined): Promise<void> {
    const times = batch.columns[0] as Float64Array
    const order = orderByTime(times, batch.count)
    const storable = this.skipBefore1970(times, order)
    for (let from = storable; from < batch.count; from += LIMITS.questdbRequestRowsMax) {
      const to = Math.min(batch.count, from + LIMITS.questdbRequestRowsMax)
      await this.encode(batch, order, from, to)
      const startedMs = performance.now()
      const refusal = await this.send(claim)
      const { table, metrics } = this.options
      if (refusal !== undefined) {
        metrics?.refused(table)
        const { status, body } = refusal
        throw refusedRow({ table, batch, order, from, status, body })
      }
      metrics?.acknowledged(table, to - from, (performance.now() - startedMs) / 1000)
    }
  }

  /**
   * QuestDB holds no time before 1970 and would refuse the whole batch, so that one such record
   * would stop its partition for ever. The bridge takes nothing that old; who else appends to the
   * log may. The first row to send is answered: the order is by time.
   */
  private skipBefore1970(times: Float64Array, order: Uint32Array): number {
    let first = 0
    while (first < order.length && times[order[first]!]! < 0) first++
    if (first > 0) {
      const { table, metrics, logger } = this.options
      metrics?.unstorable(table, first)
      logger?.error(
        { table, rows: first },
        'rows before 1970 are left out: QuestDB cannot hold them',
      )
    }
    return first
  }

  private async encode(batch: RowBatch, order: Uint32Array, from: number, to: number) {
    this.encoder.clear()
    for (let at = from; at < to; at += LIMITS.questdbEncodeRowsMax) {
      if (at > from) await turn()
      this.encoder.append(batch, order, at, Math.min(to, at + LIMITS.questdbEncodeRowsMax))
    }
  }

  /** Sends what is encoded until it is acknowledged; answers only where it is refused. */
  private async send(
    claim: Claim | undefined,
  ): Promise<(Outcome & { kind: 'refused' }) | undefined> {
    const { client, metrics, table } = this.options
    const stop = this.stopFor(claim)
    const holds = () => claim?.holds() ?? true
    let retryMs: number = LIMITS.questdbRetryMsMin
    let unknown = this.leftUnknown
    for (;;) {
      if (this.options.stop.aborted) throw sinkErrors.closed({ table })
      this.leftUnknown = unknown
      if (!holds()) throw engineErrors.staleOwner({ what: `rows of ${table}` })
      const outcome = await client.post(this.encoder.encoded(), stop, holds)
      if (outcome.kind !== 'failed') {
        this.recovered()
        if (outcome.kind === 'refused') return outcome
        // The attempt whose answer never came may still be under way in the server, and must not
        // end after a newer batch that this acknowledgement lets out.
        if (unknown) await pause(LIMITS.questdbSettleMs, this.options.stop)
        this.leftUnknown = false
        return undefined
      }
      if (outcome.unknown) unknown = true
      if (!holds()) continue
      metrics?.failed(table)
      this.failed(outcome.detail)
      await pause(retryMs, stop)
      retryMs = Math.min(2 * retryMs, LIMITS.questdbRetryMsMax)
    }
  }

  private stopFor(claim: Claim | undefined): AbortSignal {
    const { stop } = this.options
    return claim === undefined ? stop : AbortSignal.any([stop, claim.signal])
  }

  private failed(detail: string): void {
    if (this.failingSinceMs === undefined) {
      this.failingSinceMs = performance.now()
      const { table, logger, stop } = this.options
      if (!stop.aborted) logger?.warn({ table, detail }, 'QuestDB takes no rows: trying again')
    }
    this.failure = detail
  }

  private recovered(): void {
    if (this.failingSinceMs === undefined) return
    const seconds = Math.round((performance.now() - this.failingSinceMs) / 1000)
    this.failingSinceMs = undefined
    const { table, logger } = this.options
    logger?.info({ table, seconds }, 'QuestDB takes rows again')
  }
}

async function pause(ms: number, stop: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: stop }).catch(() => undefined)
}

interface Refused {
  readonly table: string
  readonly batch: RowBatch
  readonly order: Uint32Array
  readonly from: number
  readonly status: number
  readonly body: string
}

/** QuestDB names the line that it stumbled over, counted from 1. */
function refusedRow({ table, batch, order, from, status, body }: Refused): Error {
  let detail = `status ${status}: ${body.trim()}`
  let row = '(not named)'
  try {
    const answer = JSON.parse(body) as { message?: string; line?: number }
    detail = `status ${status}: ${answer.message ?? body}`.replaceAll(/\s*\n\s*/g, ' ')
    const index = answer.line === undefined ? undefined : order[from + answer.line - 1]
    if (index !== undefined) row = rowWords(batch, index)
  } catch {
    // No JSON: a login that is refused is answered in plain text.
  }
  return sinkErrors.rowRefused({ table, row, detail })
}
