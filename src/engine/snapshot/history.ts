import { LIMITS } from '../../kernel/limits.ts'
import type { ChunkPlace } from './manifest.ts'
import type { Pointer } from './pointer.ts'

/** Chunks that belong together: a base with every page, and what changed since. */
export interface Generation {
  readonly chunks: readonly ChunkPlace[]
  readonly baseChunks: number
}

interface Taken {
  readonly pointer: Pointer
  /** The input offset that it is the state of; unknown, and behind us, of what others took. */
  readonly offset: number
}

const bytesOf = (chunks: readonly ChunkPlace[]) => chunks.reduce((sum, { bytes }) => sum + bytes, 0)

/**
 * The snapshots of one partition: those that can be fallen back to, and the generation that the
 * next one adds to. Two generations are kept; what is older is freed once a commit names these
 * alone.
 */
export class SnapshotHistory {
  private generation: Generation | undefined
  /** Newest first. */
  private taken: readonly Taken[]
  private freedBelow = 0
  /** The input offset of the newest. */
  offset: number

  /** @param pointers What the state was restored from, and what is older; the newest first. */
  constructor(generation?: Generation, pointers: readonly Pointer[] = [], offset = 0) {
    this.generation = generation
    this.taken = pointers.map((pointer) => ({ pointer, offset }))
    this.offset = offset
  }

  /** Whether the next snapshot writes every page: deltas have outgrown their base, or none is. */
  get wantsBase(): boolean {
    if (this.generation === undefined) return true
    const { chunks, baseChunks } = this.generation
    return bytesOf(chunks.slice(baseChunks)) > bytesOf(chunks.slice(0, baseChunks))
  }

  /** The generation as it is with these chunks more. */
  with(chunks: readonly ChunkPlace[], isBase: boolean): Generation {
    if (isBase) return { chunks, baseChunks: chunks.length }
    const { chunks: before, baseChunks } = this.generation!
    return { chunks: [...before, ...chunks], baseChunks }
  }

  /** A snapshot is whole: `generation` is its, and its manifest lies there. */
  add(generation: Generation, manifest: number, offset: number): void {
    this.generation = generation
    const pointer = { manifest, begin: generation.chunks[0]?.offset ?? manifest }
    this.taken = [{ pointer, offset }, ...this.taken]
    this.offset = offset
  }

  /**
   * What a commit at `offset` names: a snapshot is of use once no input below it will be emitted
   * anew. The newest of the newest two generations.
   */
  pointers(offset: number): readonly Pointer[] {
    const valid = this.taken.filter((one) => one.offset <= offset).map(({ pointer }) => pointer)
    const begins = [...new Set(valid.map(({ begin }) => begin))].slice(0, 2)
    return begins.flatMap((begin) =>
      valid.filter((one) => one.begin === begin).slice(0, LIMITS.snapshotsKept),
    )
  }

  /** A commit names these now. Answers the offset below which the topic is of no more use. */
  named(pointers: readonly Pointer[]): number | undefined {
    const [newest] = pointers
    if (newest === undefined) return undefined
    const place = this.taken.findIndex(({ pointer }) => pointer.manifest === newest.manifest)
    const named = new Set(pointers.map(({ manifest }) => manifest))
    this.taken = this.taken.filter(({ pointer }, i) => i < place || named.has(pointer.manifest))
    const below = Math.min(...pointers.map(({ begin }) => begin))
    if (below <= this.freedBelow) return undefined
    this.freedBelow = below
    return below
  }
}
