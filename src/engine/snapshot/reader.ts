import type { Log } from '../../log/log.ts'
import { engineErrors } from '../errors.ts'
import type { Pipeline } from '../pipeline.ts'
import type { PagedArray } from '../state/pages.ts'
import { plainOf } from '../state/plain.ts'
import type { TaskState } from '../state/task-state.ts'
import { nodesKept } from './changes.ts'
import { arrayName, crcOf, isPlain, nodeOf, plainName, readPages } from './chunk.ts'
import { FORMAT, decodeManifest } from './manifest.ts'
import type { ChunkPlace, Manifest } from './manifest.ts'
import type { Pointer } from './pointer.ts'

export interface ReadOptions {
  readonly log: Log
  readonly topic: string
  readonly input: string
  readonly partition: number
  readonly epoch: number
  /** The input offset that is committed: a snapshot of more is not yet of use. */
  readonly upTo: number
  readonly pipeline: Pipeline
  /** Nodes whose state may be forgotten. */
  readonly dropped: ReadonlySet<string>
  readonly signal: AbortSignal
}

/**
 * Loads the snapshot that a pointer names into the state of a new task.
 *
 * @throws engine.snapshotBroken where it is not whole, or not of this log: the task is of no use
 *   any more. engine.topologyChanged where nodes are others than those that wrote it.
 */
export async function readSnapshot(
  options: ReadOptions,
  pointer: Pointer,
  state: TaskState,
): Promise<Manifest> {
  const manifest = await readManifest(options, pointer)
  const kept = nodesKept(manifest, options.pipeline, state, options.dropped)
  const loading = new Loading(state, kept)
  await readChunks(options, manifest.chunks, (value) => loading.take(value))
  loading.finish()
  return manifest
}

const broken = (partition: number, why: string) => engineErrors.snapshotBroken({ partition, why })

async function readManifest(options: ReadOptions, pointer: Pointer): Promise<Manifest> {
  const { log, topic, partition, input, epoch, upTo } = options
  const at = pointer.manifest
  let manifest: Manifest | undefined
  for await (const batch of log.read({ topic, partition, from: at, to: at + 1 })) {
    if (batch.count === 0 || batch.offsets[0] !== at) continue
    manifest = decodeManifest(batch.bytes.subarray(batch.valueStart[0], batch.valueEnd[0]))
  }
  if (manifest === undefined) throw broken(partition, `there is no whole manifest at ${at}`)
  const { format } = manifest
  if (format !== FORMAT) throw broken(partition, `its format is ${format}, and ours ${FORMAT}`)
  if (manifest.input !== input || manifest.partition !== partition || manifest.epoch !== epoch) {
    const of = `${manifest.input}:${manifest.partition}, epoch ${manifest.epoch}`
    throw broken(partition, `it is of ${of}, and not of epoch ${epoch}`)
  }
  if (manifest.offset > upTo) {
    throw broken(partition, `it is of offset ${manifest.offset}, and committed is ${upTo}`)
  }
  return manifest
}

/** Hands over the chunks in their order; records of others between them are passed over. */
async function readChunks(
  { log, topic, partition, signal }: ReadOptions,
  chunks: readonly ChunkPlace[],
  visit: (value: Buffer) => void,
): Promise<void> {
  let next = 0
  const from = chunks[0]?.offset ?? 0
  const to = (chunks.at(-1)?.offset ?? -1) + 1
  for await (const batch of log.read({ topic, partition, from, to })) {
    signal.throwIfAborted()
    for (let i = 0; i < batch.count && next < chunks.length; i++) {
      const { offset, crc } = chunks[next]!
      const found = batch.offsets[i]!
      if (found < offset) continue
      const value = batch.bytes.subarray(Math.max(0, batch.valueStart[i]!), batch.valueEnd[i])
      if (found > offset) throw broken(partition, `the chunk at ${offset} is gone`)
      if (crcOf(value) !== crc) throw broken(partition, `the chunk at ${offset} is damaged`)
      visit(value)
      next++
    }
  }
  if (next < chunks.length) throw broken(partition, `the chunk at ${chunks[next]!.offset} is gone`)
}

const plainIn = (text: Buffer) => plainOf(text.toString('utf8'))

/** Puts pieces of state where they belong. */
class Loading {
  private readonly state: TaskState
  private readonly kept: ReadonlySet<string>
  private readonly arrays = new Map<string, PagedArray>()
  /** By the name of a plain: its text in pieces, as the newest chunks have it. */
  private readonly texts = new Map<string, Buffer[]>()

  constructor(state: TaskState, kept: ReadonlySet<string>) {
    this.state = state
    this.kept = kept
    for (const { id, part } of state.parts) {
      for (const [name, array] of Object.entries(part.arrays)) {
        this.arrays.set(arrayName(id, name), array)
      }
    }
  }

  take(value: Buffer): void {
    readPages(value, (name, index, bytes) => {
      if (!this.kept.has(nodeOf(name))) return
      if (!isPlain(name)) {
        // An array that another node of then called for is passed over.
        this.arrays.get(name)?.loadPage(index, bytes)
        return
      }
      const text = index === 0 ? [] : this.texts.get(name)!
      text.push(Buffer.from(bytes))
      this.texts.set(name, text)
    })
  }

  /** Parts that were not there then, or not of a node that is kept, stay as they are when new. */
  finish(): void {
    for (const { id, part } of this.state.parts) {
      const texts = this.texts.get(plainName(id))
      if (texts === undefined) continue
      if (part.loadPiece === undefined) part.load?.(plainIn(Buffer.concat(texts)))
      else for (const text of texts) part.loadPiece(plainIn(text))
    }
  }
}
