import { WIRE_HEADER_BYTES } from '../schemas/codecs.ts'
import type { Codec } from '../schemas/codecs.ts'
import type { RecordName } from '../schemas/ids.ts'
import { schemaText } from '../schemas/texts.ts'
import { Slab } from './slab.ts'

type FieldType = 'string' | 'long' | 'int' | 'double' | 'boolean'

interface Field {
  readonly name: string
  readonly type: FieldType
  readonly nullable: boolean
}

const SLAB_BYTES = 256 * 1024
/** The most that one value but a string takes: a branch, and a varint of 64 bits. */
const VALUE_BYTES_MAX = 11

/**
 * Writes records whose fields are all plain (string, long, int, double, boolean, or null and one of
 * them) in a fraction of the general codec's time, and byte for byte the same. Many share one slab.
 *
 *   value := 0:byte schemaId:int32 field*
 *   field := [branch:long] value            the branch where it may be null: 0 null, 1 the value
 *
 * @throws whatever the codec says of a record that it cannot hold.
 */
export class RecordWriter {
  private readonly codec: Codec<unknown>
  private readonly fields: readonly Field[]
  private readonly own = new Slab(SLAB_BYTES)

  private constructor(codec: Codec<unknown>, fields: readonly Field[]) {
    this.codec = codec
    this.fields = fields
  }

  /** A writer for a codec's records; undefined where they have fields that are not plain. */
  static of(codec: Codec<unknown>): RecordWriter | undefined {
    const fields = plainFields(codec.name)
    return fields === undefined ? undefined : new RecordWriter(codec, fields)
  }

  encode(record: object): Buffer {
    const { own } = this
    own.keepFrom = own.position
    this.writeTo(own, record)
    return own.bytes.subarray(own.keepFrom, own.position)
  }

  /** Writes a record behind what is in a slab. */
  writeTo(slab: Slab, record: object): void {
    slab.room(WIRE_HEADER_BYTES + this.fields.length * VALUE_BYTES_MAX)
    // Told from where the kept part begins: the slab may move while it is written.
    const start = slab.position - slab.keepFrom
    slab.bytes[slab.position] = 0
    slab.view.setInt32(slab.position + 1, this.codec.id)
    slab.position += WIRE_HEADER_BYTES
    let i = 0
    // Walking a record's own names is several times faster than asking it for each of ours.
    for (const name in record) {
      const field = this.fields[i++]
      const value = (record as Readonly<Record<string, unknown>>)[name]
      if (field?.name === name && this.write(slab, field, value)) continue
      i = -1
      break
    }
    if (i === this.fields.length) return
    // Other names, or in another order, or a value that is wrong: the general codec says which.
    slab.position = slab.keepFrom + start
    slab.put(this.codec.encode(record))
  }

  /** Answers false where the value is none of the field's type. */
  private write(slab: Slab, { type, nullable }: Field, value: unknown): boolean {
    if (nullable) {
      slab.bytes[slab.position++] = value === null ? 0 : 2
      if (value === null) return true
    }
    switch (type) {
      case 'string':
        return typeof value === 'string' && this.writeText(slab, value)
      case 'long':
        return isPlainLong(value) && writeLong(slab, value)
      case 'int':
        return (value as number) === ((value as number) | 0) && writeLong(slab, value as number)
      case 'double':
        if (typeof value !== 'number') return false
        slab.view.setFloat64(slab.position, value, true)
        slab.position += 8
        return true
      case 'boolean':
        if (typeof value !== 'boolean') return false
        slab.bytes[slab.position++] = value ? 1 : 0
        return true
    }
  }

  private writeText(slab: Slab, text: string): true {
    const { length } = text
    // UTF-8 takes at most three bytes a UTF-16 unit; what follows a text keeps its own room.
    slab.room(3 * length + (this.fields.length + 1) * VALUE_BYTES_MAX)
    if (length < 64) {
      // Short texts are mostly ASCII, which is written without a call.
      const { bytes, position: start } = slab
      bytes[start] = 2 * length
      let i = 0
      for (; i < length; i++) {
        const unit = text.charCodeAt(i)
        if (unit > 0x7f) break
        bytes[start + 1 + i] = unit
      }
      if (i === length) {
        slab.position = start + 1 + length
        return true
      }
    }
    writeLong(slab, Buffer.byteLength(text))
    slab.position += slab.bytes.write(text, slab.position)
    return true
  }
}

/** Zigzag varint: seven bits a byte, the lowest first. */
function writeLong(slab: Slab, value: number): true {
  const { bytes } = slab
  let at = slab.position
  // -n - 1 is the complement: 2 * it + 1 is the zigzag of a negative number.
  const magnitude = value < 0 ? -value - 1 : value
  const sign = value < 0 ? 1 : 0
  if (magnitude < 2 ** 30) {
    let rest = (magnitude << 1) | sign
    while (rest > 0x7f || rest < 0) {
      bytes[at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    bytes[at++] = rest
  } else {
    // 27 bits of it and the sign make four bytes; what is above them follows as a varint.
    let low = ((magnitude % 2 ** 27) << 1) | sign
    for (let i = 0; i < 4; i++, low >>>= 7) bytes[at++] = (low & 0x7f) | 0x80
    let high = Math.floor(magnitude / 2 ** 27)
    while (high > 0x7f) {
      bytes[at++] = (high & 0x7f) | 0x80
      high >>>= 7
    }
    bytes[at++] = high
  }
  slab.position = at
  return true
}

/** What the general codec takes, which is one less at both ends than what a double holds. */
const LONG_MAX = Number.MAX_SAFE_INTEGER - 1

function isPlainLong(value: unknown): value is number {
  return Number.isInteger(value) && Math.abs(value as number) <= LONG_MAX
}

const PLAIN: ReadonlySet<unknown> = new Set(['string', 'long', 'int', 'double', 'boolean'])

function plainFields(name: RecordName): readonly Field[] | undefined {
  const schema = JSON.parse(schemaText(name)) as { fields: { name: string; type: unknown }[] }
  const fields: Field[] = []
  for (const { name: field, type } of schema.fields) {
    const nullable = Array.isArray(type) && type.length === 2 && type[0] === 'null'
    const inner: unknown = nullable ? type[1] : type
    const plain =
      typeof inner === 'object' && inner !== null && !Array.isArray(inner) && 'logicalType' in inner
        ? (inner as { type?: unknown }).type
        : inner
    if (!PLAIN.has(plain)) return undefined
    fields.push({ name: field, type: plain as FieldType, nullable })
  }
  return fields
}
