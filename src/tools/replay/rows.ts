import { isName } from '../../kernel/ids.ts'
import type { Micros } from '../../kernel/time.ts'
import type { LongShape, Shape, WideShape } from './shape.ts'
import type { TimeReader } from './time-reader.ts'

/** One reading of a file: what one meter says of one time. */
export interface FileReading {
  readonly meterId: string
  readonly at: Micros
  /** Members of a JSON object, such as `"power_w":512.5,"temp_c":20.1`. */
  readonly members: string
  readonly channels: readonly string[]
  readonly quality: Quality | undefined
}

export type Quality = 'MEASURED' | 'ESTIMATED' | 'SUSPECT' | 'BAD'

/** Why a row, or one value of it, was not taken. */
export type Refusal =
  'bad_time' | 'no_such_local_time' | 'bad_value' | 'bad_quality' | 'bad_name' | 'bad_row'

/** What was met on the way, to be told at the end. */
export interface RowCounts {
  rows: number
  readings: number
  measurements: number
  /** Values that are empty: no reading, and nobody's fault. */
  blanks: number
  /** Rows whose local time the clock shows twice: read as the first. */
  repeatedLocalTimes: number
  /**
   * Of those, rows that fall on the meter, channel and time of an earlier row: the later one wins.
   */
  sameIdentity: number
  readonly refused: Record<Refusal, number>
}

export function newCounts(): RowCounts {
  return {
    rows: 0,
    readings: 0,
    measurements: 0,
    blanks: 0,
    repeatedLocalTimes: 0,
    sameIdentity: 0,
    refused: {
      bad_time: 0,
      no_such_local_time: 0,
      bad_value: 0,
      bad_quality: 0,
      bad_name: 0,
      bad_row: 0,
    },
  }
}

export type OnRefused = (line: number, refusal: Refusal, value: string) => void

/** As other programs write that there is no value. */
const BLANK = /^(?:na|n\/a|nan|null|none|-)?$/i
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
/** A number that JSON writes the same way. */
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const QUALITIES = new Set(['MEASURED', 'ESTIMATED', 'SUSPECT', 'BAD'])

/**
 * The number as JSON text, as it stands in the file where JSON allows that; '' for a blank;
 * undefined where it is none.
 */
export function numberText(field: string): string | undefined {
  const text = field.trim()
  if (!NUMBER.test(text)) return BLANK.test(text) ? '' : undefined
  const value = Number(text)
  if (!Number.isFinite(value)) return undefined
  return JSON_NUMBER.test(text) ? text : String(value)
}

/** Makes readings of the rows of one file. */
export class RowReader {
  readonly #shape: Shape
  readonly #meterId: string
  readonly #times: TimeReader
  readonly #counts: RowCounts
  readonly #onRefused: OnRefused
  readonly #allChannels: readonly string[]
  readonly #keys: readonly string[]
  /** Identities met in local hours that are shown twice. */
  readonly #repeated = new Set<string>()
  readonly #repeatedMax: number

  constructor(options: {
    shape: Shape
    meterId: string
    times: TimeReader
    counts: RowCounts
    repeatedMax: number
    onRefused: OnRefused
  }) {
    this.#shape = options.shape
    this.#meterId = options.meterId
    this.#times = options.times
    this.#counts = options.counts
    this.#onRefused = options.onRefused
    this.#repeatedMax = options.repeatedMax
    const channels = options.shape.kind === 'wide' ? options.shape.channels : []
    this.#allChannels = channels.map(({ name }) => name)
    this.#keys = channels.map(({ name }) => `${JSON.stringify(name)}:`)
  }

  /** undefined: the row gives no reading, for a reason that is counted. */
  read(fields: readonly string[], line: number): FileReading | undefined {
    this.#counts.rows += 1
    const shape = this.#shape
    if (fields.length !== shape.columns) {
      return this.#refuse(line, 'bad_row', `${fields.length} fields instead of ${shape.columns}`)
    }
    const at = this.#times.read(fields[shape.at]!.trim())
    if (Number.isNaN(at)) return this.#refuse(line, this.#times.refusal, fields[shape.at]!)
    const isRepeated = this.#times.isRepeated
    const reading =
      shape.kind === 'wide'
        ? this.#wide(shape, fields, at, line)
        : this.#long(shape, fields, at, line)
    if (reading === undefined) return undefined
    if (isRepeated) this.#noteRepeated(reading)
    this.#counts.readings += 1
    this.#counts.measurements += reading.channels.length
    return reading
  }

  #wide(
    shape: WideShape,
    fields: readonly string[],
    at: Micros,
    line: number,
  ): FileReading | undefined {
    let members = ''
    let present: string[] | undefined
    for (let i = 0; i < shape.channels.length; i += 1) {
      const field = fields[shape.channels[i]!.index]!
      const text = numberText(field)
      if (text === undefined || text === '') {
        if (text === '') this.#counts.blanks += 1
        else this.#refuse(line, 'bad_value', field)
        present ??= this.#allChannels.slice(0, i)
        continue
      }
      present?.push(this.#allChannels[i]!)
      members += (members === '' ? '' : ',') + this.#keys[i]! + text
    }
    if (members === '') return undefined
    const channels = present ?? this.#allChannels
    return { meterId: this.#meterId, at, members, channels, quality: undefined }
  }

  #long(
    shape: LongShape,
    fields: readonly string[],
    at: Micros,
    line: number,
  ): FileReading | undefined {
    const meterId = fields[shape.meter]!.trim()
    if (!isName(meterId)) return this.#refuse(line, 'bad_name', meterId)
    const channel = fields[shape.channel]!.trim()
    if (!isName(channel)) return this.#refuse(line, 'bad_name', channel)
    const quality = shape.quality < 0 ? '' : fields[shape.quality]!.trim().toUpperCase()
    if (quality !== '' && !QUALITIES.has(quality)) return this.#refuse(line, 'bad_quality', quality)
    const text = numberText(fields[shape.value]!)
    if (text === undefined) return this.#refuse(line, 'bad_value', fields[shape.value]!)
    if (text === '') {
      this.#counts.blanks += 1
      return undefined
    }
    return {
      meterId,
      at,
      members: `${JSON.stringify(channel)}:${text}`,
      channels: [channel],
      quality: quality === '' ? undefined : (quality as Quality),
    }
  }

  #noteRepeated(reading: FileReading): void {
    this.#counts.repeatedLocalTimes += 1
    if (this.#repeated.size >= this.#repeatedMax) this.#repeated.clear()
    let isSame = false
    for (const channel of reading.channels) {
      const identity = `${reading.meterId}/${channel}/${reading.at}`
      isSame ||= this.#repeated.has(identity)
      this.#repeated.add(identity)
    }
    if (isSame) this.#counts.sameIdentity += 1
  }

  /** Counts and tells. @returns No reading. */
  #refuse(line: number, refusal: Refusal, value: string): FileReading | undefined {
    this.#counts.refused[refusal] += 1
    this.#onRefused(line, refusal, value)
    return undefined
  }
}
