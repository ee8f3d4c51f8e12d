import type { OutgoingRecord, OutgoingRecords } from '../log/log.ts'
import type { ColumnType, TableSpec } from '../schemas/tables.ts'
import { RecordBuffer, type RecordFilter } from './record-buffer.ts'
import type { RowBatch } from './sink.ts'

type Cell = number | boolean | string | undefined
type ColumnData = Float64Array | Uint8Array | (string | undefined)[]

const FIRST_ROWS = 16

/** The columns of one type: their places in the table, and their data. */
interface Group<Data> {
  readonly places: readonly number[]
  data: Data[]
}

/** Gathers rows of one table in columns. */
export class RowBuffer {
  readonly spec: TableSpec
  count = 0
  private room = FIRST_ROWS
  // One group a type, so that each loop stores into one kind of array.
  private readonly numbers: Group<Float64Array>
  private readonly flags: Group<Uint8Array>
  private readonly texts: Group<(string | undefined)[]>

  constructor(spec: TableSpec) {
    this.spec = spec
    const places = (wanted: (type: ColumnType) => boolean) =>
      spec.columns.flatMap(({ type }, place) => (wanted(type) ? [place] : []))
    this.numbers = { places: places((t) => t !== 'symbol' && t !== 'boolean'), data: [] }
    this.flags = { places: places((t) => t === 'boolean'), data: [] }
    this.texts = { places: places((t) => t === 'symbol'), data: [] }
    this.begin(FIRST_ROWS)
  }

  private begin(room: number): void {
    const { numbers, flags, texts } = this
    this.count = 0
    this.room = room
    numbers.data = numbers.places.map(() => new Float64Array(room))
    flags.data = flags.places.map(() => new Uint8Array(room))
    texts.data = texts.places.map(() => new Array<string | undefined>(room))
  }

  push(cells: readonly ((item: never) => Cell)[], item: never): void {
    if (this.count === this.room) this.widen()
    const row = this.count++
    const { numbers, flags, texts } = this
    for (let i = 0; i < numbers.data.length; i++) {
      numbers.data[i]![row] = cells[numbers.places[i]!]!(item) as number
    }
    for (let i = 0; i < flags.data.length; i++) {
      flags.data[i]![row] = cells[flags.places[i]!]!(item) === true ? 1 : 0
    }
    for (let i = 0; i < texts.data.length; i++) {
      texts.data[i]![row] = cells[texts.places[i]!]!(item) as string | undefined
    }
  }

  private widen(): void {
    const { count, numbers, flags, texts } = this
    const before = [...numbers.data, ...flags.data]
    const textsBefore = texts.data
    this.begin(2 * this.room)
    this.count = count
    for (const [i, wide] of [...numbers.data, ...flags.data].entries()) wide.set(before[i]!)
    for (const [i, wide] of texts.data.entries()) {
      for (let row = 0; row < count; row++) wide[row] = textsBefore[i]![row]
    }
  }

  /** Hands over what was gathered, and begins anew. */
  take(): RowBatch {
    const { spec, count } = this
    const columns = new Array<ColumnData>(spec.columns.length)
    for (const { places, data } of [this.numbers, this.flags, this.texts]) {
      for (const [i, place] of places.entries()) columns[place] = data[i]!
    }
    this.begin(Math.max(FIRST_ROWS, 2 ** Math.ceil(Math.log2(count + 1))))
    return { spec, count, columns }
  }
}

/** Rows of one table as one batch, in their order. */
export function mergedRows(batches: readonly RowBatch[]): RowBatch {
  const [first] = batches
  if (first === undefined || batches.length === 1) return first!
  const count = batches.reduce((sum, batch) => sum + batch.count, 0)
  const columns = first.spec.columns.map(({ type }, c): ColumnData => {
    if (type === 'symbol') {
      return batches.flatMap((batch) => (batch.columns[c] as string[]).slice(0, batch.count))
    }
    const merged = type === 'boolean' ? new Uint8Array(count) : new Float64Array(count)
    let at = 0
    for (const batch of batches) {
      merged.set((batch.columns[c] as Float64Array).subarray(0, batch.count), at)
      at += batch.count
    }
    return merged
  })
  return { spec: first.spec, count, columns }
}

/** What a task has emitted and nobody has sent yet. */
export class Outputs {
  readonly tables = new Map<string, RowBuffer>()
  /** What of the tables' nodes may have to be written once more. */
  readonly restated: { batch(): RowBatch }[] = []
  /**
   * The process's monotonic clock when it took in what is computed now. It decides for how long
   * rows are kept to be written once more, and nothing that is emitted.
   */
  takenMillis = 0
  private readonly buffers = new Map<string, RecordBuffer>()
  private filters: ReadonlyMap<string, RecordFilter> = new Map()
  private logs = new Map<string, OutgoingRecord[]>()
  private logRecords = 0

  table(spec: TableSpec): RowBuffer {
    let buffer = this.tables.get(spec.table)
    if (buffer === undefined) {
      buffer = new RowBuffer(spec)
      this.tables.set(spec.table, buffer)
    }
    return buffer
  }

  /** The records for a topic; one topic has either these or those of `log`. */
  records(topic: string): RecordBuffer {
    let buffer = this.buffers.get(topic)
    if (buffer === undefined) {
      buffer = new RecordBuffer()
      this.buffers.set(topic, buffer)
    }
    return buffer
  }

  log(topic: string, record: OutgoingRecord): void {
    if (this.filters.get(topic)?.drops(record) === true) return
    const records = this.logs.get(topic)
    if (records === undefined) this.logs.set(topic, [record])
    else records.push(record)
    this.logRecords++
  }

  /** A task that resumes need not append again what these drop, by topic. */
  resume(filters: ReadonlyMap<string, RecordFilter>): void {
    this.filters = filters
    for (const [topic, buffer] of this.buffers) buffer.filter = filters.get(topic)
  }

  /** Rows and records that wait. */
  get size(): number {
    let size = this.logRecords
    for (const buffer of this.tables.values()) size += buffer.count
    for (const buffer of this.buffers.values()) size += buffer.count
    return size
  }

  take(): { tables: RowBatch[]; logs: Map<string, OutgoingRecords> } {
    const tables: RowBatch[] = []
    for (const buffer of this.tables.values()) if (buffer.count > 0) tables.push(buffer.take())
    const logs = new Map<string, OutgoingRecords>(this.logs)
    for (const [topic, buffer] of this.buffers) if (buffer.count > 0) logs.set(topic, buffer.take())
    this.logs = new Map()
    this.logRecords = 0
    return { tables, logs }
  }
}
