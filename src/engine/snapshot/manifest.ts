import { crc32 } from 'node:zlib'
import type { Pipeline } from '../pipeline.ts'
import type { TaskState } from '../state/task-state.ts'
import { arrayName } from './chunk.ts'

/** Raised with every change of what chunks and manifests look like, or of what parts mean. */
export const FORMAT = 2

const MAGIC = 'MLM1'
const HEAD_BYTES = 8

/** A chunk of a generation: where it lies in the topic, its bytes and its CRC. */
export interface ChunkPlace {
  readonly offset: number
  readonly bytes: number
  readonly crc: number
}

/** What a node was: as a hash with all that it reads, in words, and how its state lay. */
export interface ManifestNode {
  readonly hash: string
  readonly declaration: string
  readonly holdsState: boolean
  /** How its arrays lie, by part and array. */
  readonly shapes: Readonly<Record<string, string>>
}

/** What is written last of a snapshot: by it the chunks become one. */
export interface Manifest {
  readonly format: number
  /** Who wrote it: member and generation. */
  readonly writer: string
  readonly input: string
  readonly partition: number
  readonly epoch: number
  /** The state is that of all records below this offset. */
  readonly offset: number
  /** By node id. */
  readonly nodes: Readonly<Record<string, ManifestNode>>
  /** The chunks of the generation, oldest first; the first `baseChunks` hold every page. */
  readonly chunks: readonly ChunkPlace[]
  readonly baseChunks: number
}

export function nodesOf({ nodes, fingerprint }: Pipeline, state: TaskState): Manifest['nodes'] {
  const holders = new Set<string>()
  const shapes = new Map<string, Record<string, string>>()
  for (const { node, id, part } of state.parts) {
    holders.add(node)
    const known = shapes.get(node) ?? {}
    shapes.set(node, known)
    for (const [name, array] of Object.entries(part.arrays)) {
      known[arrayName(id, name)] = array.shape
    }
  }
  const entries = nodes.map(({ id, declaration }): [string, ManifestNode] => {
    const hash = fingerprint.get(id)!
    return [id, { hash, declaration, holdsState: holders.has(id), shapes: shapes.get(id) ?? {} }]
  })
  return Object.fromEntries(entries)
}

/** `"MLM1" crc32 u32, JSON`. Chunks are three numbers each. */
export function encodeManifest(manifest: Manifest): Buffer {
  const chunks = manifest.chunks.map(({ offset, bytes, crc }) => [offset, bytes, crc])
  const text = Buffer.from(JSON.stringify({ ...manifest, chunks }))
  const head = Buffer.alloc(HEAD_BYTES)
  head.write(MAGIC, 0, 'latin1')
  head.writeUInt32LE(crc32(text), 4)
  return Buffer.concat([head, text])
}

/** Undefined where it is none, or not whole. Of another format only `format` can be relied upon. */
export function decodeManifest(value: Buffer): Manifest | undefined {
  if (value.length < HEAD_BYTES || value.toString('latin1', 0, 4) !== MAGIC) return undefined
  const text = value.subarray(HEAD_BYTES)
  if (crc32(text) !== value.readUInt32LE(4)) return undefined
  const read = JSON.parse(text.toString('utf8')) as Manifest
  if (read.format !== FORMAT) return read
  const chunks = read.chunks as unknown as readonly (readonly [number, number, number])[]
  return { ...read, chunks: chunks.map(([offset, bytes, crc]) => ({ offset, bytes, crc })) }
}
