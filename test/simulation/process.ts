import { engineErrors } from '../../src/engine/errors.ts'
import { logBehind } from '../../src/engine/ports.ts'
import type { Passage } from '../../src/engine/ports.ts'
import type { Runtime } from '../../src/engine/runtime.ts'
import type { Claim, RowBatch, TableSink } from '../../src/engine/sink.ts'
import type { VirtualProcess, VirtualTime } from '../../src/engine/virtual-time.ts'
import { hasCode } from '../../src/kernel/errors.ts'
import { logErrors } from '../../src/log/errors.ts'
import type { Log, OutgoingRecords, ReadOptions } from '../../src/log/log.ts'
import type { MemoryLog } from '../../src/log/memory.ts'
import type { MemoryMember } from '../../src/log/memory-member.ts'
import { asRecords } from '../../src/log/outgoing.ts'
import type { Topics } from '../../src/log/topics.ts'
import type { Dice } from './dice.ts'

/** One for each who waits: what all of them share would keep everybody who ever waited for it. */
const never = () => new Promise<never>(() => undefined)

/** What the world's faults are told by, so that no other error passes for one of them. */
export function isFault(error: unknown): boolean {
  return (
    (error instanceof Error && error.message.includes('simulated')) ||
    hasCode(error, 'log.closed') ||
    hasCode(error, 'log.staleGeneration')
  )
}

const unavailable = (what: string) =>
  logErrors.unavailable({ brokers: 'memory', what, detail: 'simulated' })

/** The world as a processor is in it. */
export interface Surroundings {
  readonly dice: Dice
  readonly time: VirtualTime
  /** What is on its way belongs to nobody who could be killed. */
  readonly network: VirtualProcess
  readonly log: MemoryLog
  readonly topics: Topics
  note(what: string): void
  crash(processor: Processor): void
  /** @param isLate who sent it may have lost its partitions since. */
  upsert(batch: RowBatch, from: number, to: number, isLate: boolean): void
}

/**
 * One processor: what it calls goes through here, and each call may be its last. A request that was
 * sent lands whatever becomes of its sender; an answer reaches only who is still there.
 */
export class Processor implements Passage {
  readonly process: VirtualProcess
  readonly name: string
  /** Its place among the processors, which another one takes after it. */
  readonly slot: number
  /** One of each stage, and their members of the stages' groups. */
  readonly runtimes: Runtime[] = []
  readonly members: MemoryMember[] = []
  /** All of its stages have started. */
  isUp = false
  /** It was paused beyond its session: what it had on its way may be older than what is there. */
  isZombie = false
  isPaused = false
  private readonly world: Surroundings
  private readonly dice: Dice
  private readonly lastWrites = new Map<string, Promise<void>>()

  constructor(world: Surroundings, slot: number, name: string) {
    this.slot = slot
    this.world = world
    this.dice = world.dice
    this.name = name
    this.process = world.time.process()
  }

  log(): Log {
    return logBehind(this.world.log, this, (made) => this.members.push(made))
  }

  /** How long something is on its way. */
  private latencyMillis(): number {
    return this.dice.chance('latency', 0.05)
      ? this.dice.whole('latency', 5, 120)
      : this.dice.next('latency') * 4
  }

  private async crashed(): Promise<never> {
    this.world.crash(this)
    return never()
  }

  async call<T>(
    port: string,
    effect: () => T | Promise<T>,
    args: readonly unknown[] = [],
  ): Promise<T> {
    const { dice, process, world } = this
    await process.sleep(this.latencyMillis())
    if (dice.hit('crash before a call')) {
      dice.reach(`crash before ${port}`)
      await this.crashed()
    }
    world.note(`${this.name} ${port}`)
    this.failBefore(port, args)
    const damaged = this.damagedState(port, args)
    // From here on it is on the wire.
    await world.network.sleep(this.latencyMillis())
    const answer = await settled(damaged === undefined ? effect : () => damaged() as T)
    if (process.alive && dice.hit('crash after a call')) {
      dice.reach(`crash after ${port}`)
      await this.crashed()
    }
    await process.sleep(this.latencyMillis())
    if (!answer.ok) throw answer.error
    this.failAfter(port)
    return answer.value
  }

  private failBefore(port: string, args: readonly unknown[]): void {
    const { dice } = this
    if (port === 'producer.append') {
      const topic = args[0] as string
      const records = asRecords(args[1] as OutgoingRecords)
      const failed = { topic, records: records.length, detail: 'simulated' }
      if (dice.hit('append: not taken')) throw logErrors.appendFailed(failed)
      if (dice.hit('append: part of it taken')) {
        this.world.log.appendNow(topic, records.slice(0, dice.whole('part', 0, records.length)))
        throw logErrors.appendFailed(failed)
      }
    }
    if (port === 'group.commit' && dice.hit('commit: not taken')) throw unavailable('commit')
    const isRead = port === 'log.read' || port === 'log.committed'
    if (isRead && dice.hit('read: fails')) throw unavailable('read')
  }

  /** What is written of the state, with a byte that is wrong, if it is to be. */
  private damagedState(port: string, args: readonly unknown[]): (() => unknown) | undefined {
    const { dice, world } = this
    const { state, totalsState } = world.topics
    const isState = (topic: unknown) => topic === state || topic === totalsState
    if (port === 'log.read' && isState((args[0] as ReadOptions).topic)) dice.reach('state: read')
    const [topic] = args
    if (port !== 'producer.append' || !isState(topic)) return undefined
    dice.reach('state: written')
    if (!dice.hit('state: a record is damaged')) return undefined
    const records = [...asRecords(args[1] as OutgoingRecords)]
    const at = dice.whole('damage', 0, records.length - 1)
    const value = Buffer.from(records[at]!.value ?? [])
    const byte = dice.whole('damage', 0, Math.max(0, value.length - 1))
    if (byte < value.length) value[byte]! ^= 0x10
    records[at] = { ...records[at]!, value }
    return () => world.log.appendNow(topic as string, records)
  }

  private failAfter(port: string): void {
    const { dice } = this
    if (port === 'producer.append' && dice.hit('append: taken, not acknowledged')) {
      throw logErrors.appendFailed({ topic: '', records: 0, detail: 'simulated' })
    }
    if (port === 'group.commit' && dice.hit('commit: taken, not acknowledged')) {
      throw unavailable('answer')
    }
  }

  /** As QuestDB's sink: a table's batches one by one, each until it is acknowledged. */
  tables(): TableSink {
    return {
      write: (batch, claim) => {
        const before = this.lastWrites.get(batch.spec.table) ?? Promise.resolve()
        const written = before.then(() => this.write(batch, claim))
        this.lastWrites.set(
          batch.spec.table,
          written.catch(() => undefined),
        )
        return written
      },
      close: () => Promise.resolve(),
    }
  }

  private async write(batch: RowBatch, claim: Claim | undefined): Promise<void> {
    const { dice } = this
    for (let from = 0; from < batch.count;) {
      const isPart = batch.count - from > 1 && dice.hit('table: part of a batch')
      const to = isPart ? dice.whole('part', from + 1, batch.count - 1) : batch.count
      while (!(await this.request(batch, from, to, claim))) await this.process.sleep(100)
      from = to
    }
  }

  /** One request. Answers whether it was acknowledged. */
  private async request(
    batch: RowBatch,
    from: number,
    to: number,
    claim: Claim | undefined,
  ): Promise<boolean> {
    const { dice, process, world } = this
    await process.sleep(this.latencyMillis())
    if (dice.hit('crash before a call')) {
      dice.reach('crash before tables.write')
      await this.crashed()
    }
    if (claim?.holds() === false) {
      dice.reach('table: the claim has ended')
      throw engineErrors.staleOwner({ what: `rows of ${batch.spec.table}` })
    }
    world.note(`${this.name} tables.write ${batch.spec.table} ${to - from}`)
    if (dice.hit('table: refused')) throw new Error('simulated: the table refuses the rows')
    if (dice.hit('table: not taken')) return false
    const slowMillis = dice.hit('table: slow') ? dice.whole('latency', 200, 2_500) : 0
    await world.network.sleep(this.latencyMillis() + slowMillis)
    // What is on the wire when the claim ends cannot be called back: it is written over later.
    const isLate = this.isZombie || claim?.holds() === false
    if (isLate) dice.reach('table: lands after its claim')
    world.upsert(batch, from, to, isLate)
    if (process.alive && dice.hit('crash after a call')) {
      dice.reach('crash after tables.write')
      await this.crashed()
    }
    await process.sleep(this.latencyMillis())
    return !dice.hit('table: taken, not acknowledged')
  }
}

type Settled<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown }

async function settled<T>(effect: () => T | Promise<T>): Promise<Settled<T>> {
  try {
    return { ok: true, value: await effect() }
  } catch (error) {
    return { ok: false, error }
  }
}
