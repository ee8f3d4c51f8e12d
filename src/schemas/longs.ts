import avsc from 'avsc'

/**
 * Longs as JavaScript numbers. avsc's own long loses the sign of numbers below -2^52, and says of
 * one that is beyond the exact range neither which it is nor where; so longs are read and written
 * here.
 *
 *   long := (n < 0 ? -2n - 1 : 2n) in groups of seven bits, the lowest first, each but the last +
 *   0x80
 */

/** As far as a number and its neighbours are exact, less one: avsc's bound too. */
export const LONG_MAX = Number.MAX_SAFE_INTEGER - 1

const isExact = (value: unknown) =>
  typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= LONG_MAX

/** One buffer for each length that a long can have: avsc copies what it is given at once. */
const SCRATCH = Array.from({ length: 11 }, (_, length) => Buffer.alloc(length))
const groups = new Uint8Array(10)

function encodeLong(value: number): Buffer {
  const isNegative = value < 0
  // What is left of the number once its sign is the lowest bit: never rounded, unlike 2 * value.
  let left = isNegative ? -(value + 1) : value
  groups[0] = ((left % 64) * 2) | (isNegative ? 1 : 0)
  left = Math.floor(left / 64)
  let length = 1
  while (left > 0) {
    groups[length - 1]! |= 0x80
    groups[length++] = left % 128
    left = Math.floor(left / 128)
  }
  const out = SCRATCH[length]!
  for (let i = 0; i < length; i++) out[i] = groups[i]!
  return out
}

function decodeLong(bytes: Buffer): number {
  const first = bytes[0]!
  let value = (first & 0x7f) >> 1
  let scale = 64
  for (let i = 1; i < bytes.length; i++) {
    value += (bytes[i]! & 0x7f) * scale
    scale *= 128
  }
  if (first & 1) value = -value - 1
  if (Math.abs(value) > LONG_MAX) throw new RangeError('a long beyond 2^53')
  return value
}

const exactLong = avsc.types.LongType.__with(
  {
    fromBuffer: decodeLong,
    toBuffer: encodeLong,
    fromJSON: (value: number) => value,
    toJSON: (value: number) => value,
    isValid: isExact,
    compare: (a: number, b: number) => a - b,
  },
  true,
)

const bigLong = avsc.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(value)
    return bytes
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
})

/** The type of a schema's text, with longs as numbers. */
export function typeOf(schemaText: string): avsc.Type {
  return typeWith(schemaText, exactLong)
}

function typeWith(schemaText: string, long: avsc.Type): avsc.Type {
  return avsc.Type.forSchema(JSON.parse(schemaText) as avsc.Schema, {
    typeHook: (schema: avsc.Schema) => {
      // A long is written 'long', or as an object where it has a logical type.
      const name =
        typeof schema === 'object' && 'type' in schema ? (schema.type as unknown) : schema
      return name === 'long' ? long : undefined
    },
  })
}

/**
 * The first long of an Avro body that is beyond the exact range, as `field = value`; undefined
 * where all are within, or the body cannot be read at all.
 */
export function inexactLong(schemaText: string, body: Buffer): string | undefined {
  try {
    const found = firstInexact(typeWith(schemaText, bigLong).fromBuffer(body), [])
    return found === undefined ? undefined : `${found} is beyond the exact whole numbers, 2^53`
  } catch {
    return undefined
  }
}

function firstInexact(value: unknown, path: readonly string[]): string | undefined {
  if (typeof value === 'bigint') {
    const bound = BigInt(LONG_MAX)
    if (value <= bound && value >= -bound) return undefined
    return `${path.join('.')} = ${value.toString()}`
  }
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return undefined
  for (const [name, part] of Object.entries(value)) {
    const found = firstInexact(part, [...path, name])
    if (found !== undefined) return found
  }
  return undefined
}
