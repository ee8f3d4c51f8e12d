import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import avsc from 'avsc'
import { messageOf } from '../kernel/errors.ts'
import { schemaErrors } from './errors.ts'
import { SCHEMA_IDS } from './ids.ts'
import type { RecordName } from './ids.ts'
import type { Records } from './records.ts'
import { registerSchema, writerSchema } from './registry-client.ts'

/**
 * Typed codecs in the Confluent wire format: byte 0, the schema's id as a big-endian int32, then the
 * Avro body. Longs are JavaScript numbers, exact up to 2^53.
 */
export interface Codec<T> {
  readonly name: RecordName
  /** The id that `encode` writes. */
  readonly id: number
  /** @throws schemas.cannotEncode naming the field and its value. */
  encode(record: T): Buffer
  /**
   * @throws schemas.notConfluent, schemas.unknownId, schemas.damaged. A record of another id is read only
   *   where a registry is in use and `prepare` has fetched that id.
   */
  decode(bytes: Buffer): T
  /** Fetches the schema of an id that this codec does not know. With the fixed ids there is none. */
  prepare(id: number): Promise<void>
}

export type Codecs = { readonly [K in RecordName]: Codec<Records[K]> }

export const WIRE_HEADER_BYTES = 5

/** The text of `schemas/<name>.avsc` as committed. */
export function schemaText(name: RecordName): string {
  return readFileSync(new URL(`../../schemas/${name}.avsc`, import.meta.url), 'utf8')
}

/** The schema id of a value in the wire format, or -1 where it has no such form. */
export function schemaIdOf(bytes: Buffer): number {
  return bytes.length >= WIRE_HEADER_BYTES && bytes[0] === 0 ? bytes.readInt32BE(1) : -1
}

class AvscCodec<T> implements Codec<T> {
  readonly name: RecordName
  readonly id: number
  private readonly type: avsc.Type
  private readonly resolvers = new Map<number, avsc.Type | null>()
  private readonly registryUrl: string | undefined
  private scratch = Buffer.allocUnsafe(64 * 1024)

  constructor(name: RecordName, id: number, registryUrl: string | undefined) {
    this.name = name
    this.id = id
    this.registryUrl = registryUrl
    this.type = avsc.Type.forSchema(JSON.parse(schemaText(name)) as avsc.Schema)
    this.resolvers.set(id, null)
  }

  encode(record: T): Buffer {
    for (;;) {
      const end = this.encodeInto(record)
      if (end >= 0) return Buffer.from(this.scratch.subarray(0, end))
      // avsc answers with how many bytes it lacked, negative.
      this.scratch = Buffer.allocUnsafe(2 * (this.scratch.length - end))
    }
  }

  private encodeInto(record: T): number {
    this.scratch[0] = 0
    this.scratch.writeInt32BE(this.id, 1)
    try {
      return this.type.encode(record, this.scratch, WIRE_HEADER_BYTES)
    } catch (error) {
      throw this.refusal(record, error)
    }
  }

  private refusal(record: T, error: unknown): Error {
    let field = '(the record)'
    let value = messageOf(error)
    this.type.isValid(record, {
      errorHook: (path: string[], any: unknown) => {
        field = path.join('.')
        value = inspect(any)
      },
    })
    return schemaErrors.cannotEncode({ record: this.name, field, value }, error)
  }

  decode(bytes: Buffer): T {
    const id = schemaIdOf(bytes)
    if (id < 0) {
      throw schemaErrors.notConfluent({ record: this.name, length: bytes.length, byte: bytes[0] })
    }
    const writer = this.resolvers.get(id)
    if (writer === undefined) {
      const known = [...this.resolvers.keys()].join(', ')
      throw schemaErrors.unknownId({ record: this.name, id, known })
    }
    try {
      const body = bytes.subarray(WIRE_HEADER_BYTES)
      if (writer === null) return this.type.fromBuffer(body) as T
      const resolver = this.type.createResolver(writer)
      return this.type.fromBuffer(body, resolver) as T
    } catch (error) {
      throw schemaErrors.damaged({ record: this.name, detail: messageOf(error) }, error)
    }
  }

  async prepare(id: number): Promise<void> {
    if (this.resolvers.has(id) || this.registryUrl === undefined) return
    const text = await writerSchema(this.registryUrl, id)
    this.resolvers.set(id, avsc.Type.forSchema(JSON.parse(text) as avsc.Schema))
  }
}

/** Which topic a record's subject is named after, as Confluent's TopicNameStrategy does. */
export const SUBJECTS: Readonly<Record<RecordName, string>> = {
  reading: 'readings-value',
  'bench-window': 'bench.windows-value',
  window: 'windows-value',
  anomaly: 'anomalies-value',
  control: 'readings-control-value',
  'dead-letter': 'dead-letters-value',
}

/** With `registryUrl`, each schema is registered there under its subject and bears the id it gets. */
export async function loadCodecs(
  options: { registryUrl?: string | undefined } = {},
): Promise<Codecs> {
  const codecs: Record<string, unknown> = {}
  for (const name of Object.keys(SCHEMA_IDS) as RecordName[]) {
    const id =
      options.registryUrl === undefined
        ? SCHEMA_IDS[name]
        : await registerSchema(options.registryUrl, SUBJECTS[name], schemaText(name))
    codecs[name] = new AvscCodec(name, id, options.registryUrl)
  }
  return codecs as unknown as Codecs
}
