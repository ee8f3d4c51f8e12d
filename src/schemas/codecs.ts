import { inspect } from 'node:util'
import type avsc from 'avsc'
import { messageOf } from '../kernel/errors.ts'
import { schemaErrors } from './errors.ts'
import { RECORD_NAMES } from './ids.ts'
import type { RecordName } from './ids.ts'
import { inexactLong, typeOf } from './longs.ts'
import type { Records } from './records.ts'
import { registerSchema, writerSchema } from './registry-client.ts'
import { schemaText, schemaVersions, subjectOf } from './texts.ts'

/**
 * Typed codecs in the Confluent wire format: byte 0, the schema's id as a big-endian int32, then
 * the Avro body. Longs are JavaScript numbers, exact up to 2^53 in magnitude; what lies beyond is
 * refused.
 */
export interface Codec<T> {
  readonly name: RecordName
  /** The id that `encode` writes: that of the newest version. */
  readonly id: number
  /** @throws schemas.cannotEncode naming the field and its value. */
  encode(record: T): Buffer
  /**
   * Reads a record of any version that is known: with the fixed ids all committed ones, with a
   * registry the newest and what `prepare` has fetched.
   *
   * @throws schemas.notConfluent, schemas.unknownId, schemas.damaged.
   */
  decode(bytes: Buffer): T
  /**
   * Fetches the schema of an id that this codec does not know from the registry. Without one there
   * is nothing to fetch, and `decode` says so.
   *
   * @throws schemas.registry, schemas.incompatible.
   */
  prepare(id: number): Promise<void>
}

export type Codecs = { readonly [K in RecordName]: Codec<Records[K]> }

export const WIRE_HEADER_BYTES = 5

/** The schema id of a value in the wire format, or -1 where it has no such form. */
export function schemaIdOf(bytes: Buffer): number {
  return bytes.length >= WIRE_HEADER_BYTES && bytes[0] === 0 ? bytes.readInt32BE(1) : -1
}

/** What reads the bodies of one writer's schema; `resolver` is null where it is our own schema. */
interface Writer {
  readonly text: string
  readonly resolver: Resolver | null
}

type Resolver = ReturnType<avsc.Type['createResolver']>

class AvscCodec<T> implements Codec<T> {
  readonly name: RecordName
  readonly id: number
  private readonly type: avsc.Type
  private readonly writers = new Map<number, Writer>()
  private readonly registryUrl: string | undefined
  private scratch = Buffer.allocUnsafe(64 * 1024)

  constructor(name: RecordName, id: number, registryUrl: string | undefined) {
    this.name = name
    this.id = id
    this.registryUrl = registryUrl
    const text = schemaText(name)
    this.type = typeOf(text)
    this.writers.set(id, { text, resolver: null })
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
    const writer = this.writers.get(id)
    if (writer === undefined) {
      const known = [...this.writers.keys()].join(', ')
      throw schemaErrors.unknownId({ record: this.name, id, known })
    }
    const body = bytes.subarray(WIRE_HEADER_BYTES)
    try {
      if (writer.resolver === null) return this.type.fromBuffer(body) as T
      return this.type.fromBuffer(body, writer.resolver) as T
    } catch (error) {
      const detail = inexactLong(writer.text, body) ?? messageOf(error)
      throw schemaErrors.damaged({ record: this.name, detail }, error)
    }
  }

  /** From now on records with `id` are read, which were written by this schema. */
  learn(id: number, text: string): void {
    if (this.writers.has(id)) return
    try {
      this.writers.set(id, { text, resolver: this.type.createResolver(typeOf(text)) })
    } catch (error) {
      const detail = messageOf(error)
      throw schemaErrors.incompatible({ record: this.name, id, detail }, error)
    }
  }

  async prepare(id: number): Promise<void> {
    if (this.writers.has(id) || this.registryUrl === undefined) return
    this.learn(id, await writerSchema(this.registryUrl, id))
  }
}

export interface CodecOptions {
  /** The setting SCHEMA_REGISTRY_URL: each schema is registered there and bears the id it gets. */
  readonly registryUrl?: string | undefined
  /** The setting TOPIC_PREFIX: a registry's subjects are named after topics. */
  readonly topicPrefix?: string
}

/** @throws schemas.registry where a registry is set and does not take the schemas. */
export async function loadCodecs(options: CodecOptions = {}): Promise<Codecs> {
  const { registryUrl, topicPrefix } = options
  const codecs: Record<string, unknown> = {}
  for (const name of RECORD_NAMES) {
    codecs[name] =
      registryUrl === undefined
        ? fixedCodec(name)
        : new AvscCodec(
            name,
            await registerSchema(registryUrl, subjectOf(name, topicPrefix), schemaText(name)),
            registryUrl,
          )
  }
  return codecs as unknown as Codecs
}

function fixedCodec(name: RecordName): AvscCodec<unknown> {
  const versions = schemaVersions(name)
  const codec = new AvscCodec<unknown>(name, versions.at(-1)!.id, undefined)
  for (const { id, text } of versions) codec.learn(id, text)
  return codec
}
