import type { Micros } from '../../src/kernel/time.ts'
import type { Row } from './bad-json.ts'

/** Readings in Avro that are wrong, byte by byte: a codec would not write most of them. */

export interface AvroMeter {
  readonly tenant: string
  readonly meterId: string
  readonly now: Micros
}

const AT = 1_795_132_800_000_000 // 2026-11-20T00:00:00Z

/** Zigzag varint. */
function long(value: number | bigint): Buffer {
  const wide = BigInt(value)
  let rest = BigInt.asUintN(64, (wide << 1n) ^ (wide >> 63n))
  const bytes: number[] = []
  do {
    const more = rest > 0x7fn ? 0x80 : 0
    bytes.push(Number(rest & 0x7fn) | more)
    rest >>= 7n
  } while (rest > 0n)
  return Buffer.from(bytes)
}

function text(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string)
  return Buffer.concat([long(bytes.length), bytes])
}

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(value)
  return bytes
}

interface Parts {
  readonly id?: number
  readonly tenant?: string | Buffer
  readonly meterId?: string | Buffer
  readonly at?: number | bigint
  readonly seq?: Buffer
  readonly items?: Buffer
}

const item = (channel: string | Buffer, value: number, quality = 0) =>
  Buffer.concat([text(channel), double(value), long(quality)])
const block = (...items: Buffer[]) =>
  items.length === 0 ? long(0) : Buffer.concat([long(items.length), ...items, long(0)])

export function badAvro(meter: AvroMeter): Record<string, readonly Row[]> {
  const wire = (parts: Parts): Buffer => {
    const head = Buffer.alloc(5)
    head.writeInt32BE(parts.id ?? 1, 1)
    return Buffer.concat([
      head,
      text(parts.tenant ?? meter.tenant),
      text(parts.meterId ?? meter.meterId),
      long(parts.at ?? AT),
      parts.seq ?? long(0),
      parts.items ?? block(item('power_w', 512.5)),
    ])
  }
  const good = wire({})
  const cuts = Array.from({ length: good.length - 1 }, (_, i) => i + 1).filter((n) => n % 2 === 1)
  return {
    ...wrongSchema(wire),
    'payload.damagedAvro': [
      ...cuts.map((n): Row => [good.subarray(0, n), `the first ${n} bytes`]),
      ...damaged(good, wire),
    ],
    'payload.otherMeter': [
      [wire({ tenant: 'another' }), 'another tenant'],
      [wire({ meterId: 'another' }), 'another meter'],
      [wire({ meterId: '' }), 'no meter'],
      [wire({ tenant: meter.meterId, meterId: meter.tenant }), 'tenant and meter exchanged'],
    ],
    'payload.notFinite': [NaN, Infinity, -Infinity].map((value): Row => {
      return [wire({ items: block(item('power_w', value)) }), `Avro ${value}`]
    }),
    'payload.outOfRange': [[wire({ items: block(item('power_w', 1e300)) }), 'Avro 1e300']],
    'payload.noMeasurement': [[wire({ items: block() }), 'Avro without measurements']],
    'payload.duplicateKey': [
      [wire({ items: block(item('a', 1), item('a', 2)) }), 'one channel twice in Avro'],
    ],
    'payload.badChannel': ['', 'a/b', '__proto__', 'a\u0000'].map((name): Row => {
      return [wire({ items: block(item(name, 1)) }), `Avro ${JSON.stringify(name)}`]
    }),
    'payload.tooEarly': [0, -1, AT / 1e3, AT / 1e6].map((at): Row => {
      return [wire({ at: Math.round(at) }), `Avro at ${at}`]
    }),
    'payload.inFuture': [
      [wire({ at: meter.now + 420e6 }), 'Avro in seven minutes'],
      [wire({ at: 9e15 }), 'Avro in 2255'],
    ],
    'payload.tooManyMeasurements': [
      [
        wire({ items: block(...Array.from({ length: 1_025 }, (_, i) => item(`c${i}`, 1))) }),
        '1,025 measurements in Avro',
      ],
    ],
  }
}

function wrongSchema(wire: (parts: Parts) => Buffer): Record<string, readonly Row[]> {
  const ids = [0, 2, 3, 4, 5, 6, 7, 256, 0x01000000, 2 ** 31 - 1]
  const negative = wire({})
  negative.writeInt32BE(-2, 1)
  return {
    'payload.unknownSchema': [
      ...ids.map((id): Row => [wire({ id }), `schema id ${id}`]),
      [Buffer.from('{"at":1}', 'utf16le').swap16(), 'UTF-16, big endian'],
    ],
    // Below zero there is no id, as in a payload that is too short for one.
    'payload.damagedAvro': [[negative, 'schema id -2']],
  }
}

function damaged(good: Buffer, wire: (parts: Parts) => Buffer): Row[] {
  const one = item('power_w', 1)
  const head = good.subarray(0, 5)
  return [
    [Buffer.concat([good, Buffer.from([0])]), 'a byte behind the reading'],
    [Buffer.concat([good, good]), 'two readings in one'],
    [wire({ items: block(item('power_w', 1, 4)) }), 'a quality that is none'],
    [wire({ items: block(item('power_w', 1, -1)) }), 'a quality below none'],
    [wire({ seq: Buffer.concat([long(2)]) }), 'a branch of seq that is none'],
    [wire({ seq: Buffer.concat([long(1), long(2n ** 60n)]) }), 'a seq of 2^60'],
    [wire({ at: 2n ** 62n }), 'a time of 2^62'],
    [wire({ items: Buffer.concat([long(2n ** 40n), one]) }), 'an array of 2^40'],
    [wire({ items: Buffer.concat([long(2), one, long(0)]) }), 'an array one too short'],
    [wire({ items: Buffer.concat([one]) }), 'items without their count'],
    [Buffer.concat([head, long(-5), Buffer.from('x')]), 'a text of length -5'],
    [Buffer.concat([head, long(2n ** 40n), Buffer.from('x')]), 'a text of 2^40'],
    [Buffer.concat([head, Buffer.alloc(40, 0xff)]), 'an endless number'],
    [wire({ tenant: Buffer.from([0xff, 0xfe]) }), 'a tenant that is not UTF-8'],
    [wire({ items: block(item(Buffer.from([0xc3]), 1)) }), 'a channel that is not UTF-8'],
    [Buffer.concat([head, Buffer.from('{"at":"2026-11-20T00:00:00Z"}')]), 'JSON behind the id'],
  ]
}
