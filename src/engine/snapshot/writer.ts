import { LIMITS } from '../../kernel/limits.ts'
import type { Scheduler } from '../../kernel/time.ts'
import type { OutgoingRecord, Producer } from '../../log/log.ts'
import { engineErrors } from '../errors.ts'
import type { PagedArray, Page } from '../state/pages.ts'
import { plainText } from '../state/plain.ts'
import type { Plain } from '../state/part.ts'
import type { TaskState } from '../state/task-state.ts'
import { ChunkWriter, arrayName, plainName } from './chunk.ts'
import type { ChunkPlace } from './manifest.ts'

/** A piece of nothing, with its name. */
const PIECE_BYTES_MIN = 64

/** A piece of state on its way into a snapshot; `array` is that of a page. */
interface Piece {
  readonly name: Buffer
  readonly index: number
  readonly page: Page
  readonly array?: PagedArray
}

/** Plain state that is made into text when its turn comes. */
interface Waiting {
  readonly name: Buffer
  readonly pieces: Iterable<Plain>
}

export interface WriteOptions {
  readonly producer: Producer
  readonly topic: string
  readonly partition: number
  readonly scheduler: Scheduler
  /** Keys of the records begin with it: who wrote them, and which snapshot they belong to. */
  readonly key: string
  /** Whether what is written is still wanted. */
  readonly holds: () => boolean
}

/** What the state of a task is at one moment. It is frozen until `write` or `giveUp` is done. */
export class FrozenState {
  private readonly pieces: Piece[] = []
  private readonly waiting: Waiting[] = []
  /** What these take, about. */
  private waitingBytes = 0
  /** The longest that the event loop was held at a stretch. */
  heldMsMax = 0
  /** All of these together. */
  workMs = 0

  /** @param all Every page, and not only those that the snapshot before has not. */
  constructor(state: TaskState, all: boolean) {
    for (const { id, part } of state.parts) {
      for (const [array, pages] of Object.entries(part.arrays)) {
        const name = Buffer.from(arrayName(id, array))
        pages.freeze(all, (index, page) => this.pieces.push({ name, index, page, array: pages }))
      }
      if (part.pieces !== undefined) {
        this.waiting.push({ name: Buffer.from(plainName(id)), pieces: part.pieces() })
        this.waitingBytes += part.bytes + PIECE_BYTES_MIN
      } else if (part.save !== undefined) this.addPlain(id, plainText(part.save()))
    }
  }

  private addPlain(id: string, plain: string): void {
    const name = Buffer.from(plainName(id))
    const text = Buffer.from(plain)
    const size = LIMITS.snapshotChunkBytes / 4
    for (let at = 0; at < text.length; at += size) {
      this.pieces.push({ name, index: at / size, page: text.subarray(at, at + size) })
    }
  }

  /** The pages are not in any snapshot: the next one takes them. */
  giveUp(): void {
    for (const { array, index } of this.pieces) array?.spoil(index)
  }

  /** Appends all pieces in chunks, with the work of the loop between them. */
  async write(options: WriteOptions): Promise<ChunkPlace[]> {
    const { scheduler } = options
    const chunk = new ChunkWriter(this.expectedBytes)
    const sender = new Sender(options)
    let beganMs = scheduler.monotonicMillis()
    const rest = async (isFull: boolean) => {
      if (isFull) sender.begin(chunk)
      const heldMs = scheduler.monotonicMillis() - beganMs
      this.heldMsMax = Math.max(this.heldMsMax, heldMs)
      this.workMs += heldMs
      if (isFull) await sender.room()
      await scheduler.turn()
      beganMs = scheduler.monotonicMillis()
    }
    for (const { name, index, page, array } of this.all()) {
      if (!chunk.add(name, index, page)) {
        await rest(true)
        chunk.add(name, index, page)
      }
      array?.thaw(index)
      const isLong = scheduler.monotonicMillis() - beganMs >= LIMITS.snapshotHoldMs
      if (isLong) await rest(false)
    }
    if (!chunk.isEmpty) await rest(true)
    return sender.places()
  }

  private get expectedBytes(): number {
    const add = (sum: number, { name, page }: Piece) => sum + ChunkWriter.bytesOf(name, page)
    return this.pieces.reduce(add, this.waitingBytes)
  }

  private *all(): Iterable<Piece> {
    yield* this.pieces
    for (const { name, pieces } of this.waiting) {
      let index = 0
      for (const plain of pieces) {
        yield { name, index: index++, page: Buffer.from(plainText(plain)) }
      }
    }
  }
}

/** Appends chunks, a few at a time, in their order. */
class Sender {
  private readonly options: WriteOptions
  private readonly sent: Promise<ChunkPlace>[] = []
  private awaited = 0

  constructor(options: WriteOptions) {
    this.options = options
  }

  begin(chunk: ChunkWriter): void {
    const { value, crc } = chunk.end()
    const key = Buffer.from(`${this.options.key}/${this.sent.length}`)
    const place = append(this.options, key, value).then((offset) => {
      return { offset, bytes: value.length, crc }
    })
    // Whoever awaits it is told; until then it is nobody's failure.
    place.catch(() => undefined)
    this.sent.push(place)
  }

  async room(): Promise<void> {
    while (this.sent.length - this.awaited >= LIMITS.snapshotChunksInFlight) {
      await this.sent[this.awaited++]
    }
  }

  places(): Promise<ChunkPlace[]> {
    return Promise.all(this.sent)
  }
}

/** Appends one record of a snapshot, and answers its offset. */
export async function append(options: WriteOptions, key: Buffer, value: Buffer): Promise<number> {
  const { producer, topic, partition, holds } = options
  if (!holds()) throw engineErrors.snapshotBroken({ partition, why: 'the partition was lost' })
  const record: OutgoingRecord = { key, value, partition }
  const [range] = await producer.append(topic, [record])
  return range!.baseOffset
}
