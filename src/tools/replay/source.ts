import { type ReadStream, createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { MeterloomError, messageOf } from '../../kernel/errors.ts'
import { isName } from '../../kernel/ids.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { CsvReader } from './csv.ts'
import { replayErrors } from './errors.ts'
import { type FileReading, type OnRefused, type RowCounts, RowReader } from './rows.ts'
import { type Shape, shapeOf } from './shape.ts'
import { TimeReader } from './time-reader.ts'
import type { Zone } from './zone.ts'

/** One file as it was found before anything is published. */
export interface FileForm {
  readonly file: string
  readonly meterId: string
  readonly shape: Shape
}

/** Where readings come from, a handful at a time. */
export interface ReadingSource {
  /** Readings in the order of the source, at least one; undefined at its end. */
  next(): Promise<readonly FileReading[] | undefined>
  close(): void
}

/** @returns The name of a meter: the file's name without its folder and without .csv or .csv.gz. */
export function meterIdOf(file: string): string {
  return basename(file)
    .replace(/\.gz$/i, '')
    .replace(/\.csv$/i, '')
}

/**
 * Reads the header of a file.
 *
 * @throws replay.badHeader, replay.badMeter, replay.unreadable, replay.lineTooLong
 */
export async function readForm(file: string, valueChannel: string): Promise<FileForm> {
  let header: readonly string[] | undefined
  const text = openText(file)
  try {
    const csv = reader(file, (fields) => (header ??= fields))
    for await (const chunk of text.chunks) {
      csv.push(chunk)
      if (header !== undefined) break
    }
    if (header === undefined) csv.end()
  } finally {
    text.close()
  }
  const shape = shapeOf(file, header ?? [''], valueChannel)
  const meterId = meterIdOf(file)
  if (shape.kind === 'wide' && !isName(meterId)) throw replayErrors.badMeter({ file, meterId })
  return { file, meterId, shape }
}

/** Reads the readings of one file, which is never held as a whole. */
export class FileSource implements ReadingSource {
  readonly #form: FileForm
  readonly #text: OpenText
  readonly #chunks: AsyncIterator<string>
  readonly #csv: CsvReader
  #readings: FileReading[] = []
  #isHeader = true

  constructor(
    form: FileForm,
    options: {
      zone: Zone
      counts: RowCounts
      onRefused: (file: string, ...refused: Parameters<OnRefused>) => void
    },
  ) {
    this.#form = form
    this.#text = openText(form.file)
    this.#chunks = this.#text.chunks[Symbol.asyncIterator]()
    const rows = new RowReader({
      shape: form.shape,
      meterId: form.meterId,
      times: new TimeReader(options.zone),
      counts: options.counts,
      repeatedMax: LIMITS.replayRepeatedMax,
      onRefused: (...refused) => {
        options.onRefused(form.file, ...refused)
      },
    })
    this.#csv = reader(form.file, (fields, line) => {
      if (this.#isHeader) {
        this.#isHeader = false
        return
      }
      const reading = rows.read(fields, line)
      if (reading !== undefined) this.#readings.push(reading)
    })
  }

  /** Bytes of the file, as it lies on the disk, that were read so far. */
  get bytesRead(): number {
    return this.#text.bytesRead()
  }

  async next(): Promise<readonly FileReading[] | undefined> {
    for (;;) {
      const chunk = await this.#chunks.next()
      if (chunk.done === true) this.#csv.end()
      else this.#csv.push(chunk.value)
      if (this.#readings.length > 0) {
        const readings = this.#readings
        this.#readings = []
        return readings
      }
      if (chunk.done === true) return undefined
    }
  }

  close(): void {
    this.#text.close()
  }

  /** What stands in a message about this source. */
  get file(): string {
    return this.#form.file
  }
}

function reader(file: string, onRow: (fields: readonly string[], line: number) => void): CsvReader {
  const charactersMax = LIMITS.csvRowCharactersMax
  return new CsvReader(charactersMax, onRow, (line) => {
    throw replayErrors.lineTooLong({ file, line, charactersMax })
  })
}

interface OpenText {
  readonly chunks: AsyncIterable<string>
  bytesRead(): number
  close(): void
}

/** Opens a file as text, unpacked where its name ends in .gz. Chunks throw replay.unreadable. */
function openText(file: string): OpenText {
  const bytes: ReadStream = createReadStream(file)
  const isPacked = file.toLowerCase().endsWith('.gz')
  // The pipeline passes errors on and closes both; whoever reads the chunks hears of them.
  const plain = isPacked ? pipeline(bytes, createGunzip(), () => undefined) : bytes
  plain.setEncoding('utf8')
  return {
    chunks: named(file, plain as AsyncIterable<string>),
    bytesRead: () => bytes.bytesRead,
    close: () => {
      plain.destroy()
      bytes.destroy()
    },
  }
}

async function* named(file: string, chunks: AsyncIterable<string>): AsyncGenerator<string> {
  try {
    for await (const chunk of chunks) yield chunk
  } catch (error) {
    if (error instanceof MeterloomError) throw error
    throw replayErrors.unreadable({ file, detail: messageOf(error) }, error)
  }
}
