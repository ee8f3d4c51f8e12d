import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestContext } from 'node:test'
import { partitionKey } from '../../src/log/log.ts'
import type {
  Log,
  OutgoingRecord,
  OwnedPartition,
  RecordBatch,
  SubscribeOptions,
  Subscription,
} from '../../src/log/log.ts'

/** What a suite needs of an adapter, and what the adapter promises beyond the port. */
export interface Features {
  readonly name: string
  /** Another process's log on the same records. */
  open(): Log
  /** The settings that topics are made with. */
  readonly settings: Readonly<Record<string, string>>
  /** Leaves out at least one offset at the end of a partition. */
  makeGap(log: Log, topic: string, partition: number): Promise<void>
  /** Milliseconds UTC, by the clock that gives records their append times. */
  nowMillis(): number
}

/** A part of the suite: what is promised, and the test of it. */
export type Contract = Readonly<
  Record<string, (t: TestContext, features: Features) => Promise<void>>
>

/** A record as a test sees it. */
export interface Seen {
  readonly partition: number
  readonly offset: number
  readonly appendMillis: number
  readonly key: string | null
  readonly value: string | null
}

const text = (bytes: Buffer, start: number, end: number) =>
  start < 0 ? null : bytes.toString('utf8', start, end)

export function recordsOf(batch: RecordBatch): Seen[] {
  return Array.from({ length: batch.count }, (_, i) => ({
    partition: batch.partition,
    offset: batch.offsets[i]!,
    appendMillis: batch.appendMillis[i]!,
    key: text(batch.bytes, batch.keyStart[i]!, batch.keyEnd[i]!),
    value: text(batch.bytes, batch.valueStart[i]!, batch.valueEnd[i]!),
  }))
}

export const valuesOf = (records: readonly Seen[]) => records.map(({ value }) => value)

/** Records with values `<name>0`, `<name>1`, ... for one partition. */
export function numbered(name: string, count: number, partition = 0): OutgoingRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    key: null,
    value: Buffer.from(`${name}${i}`),
    partition,
  }))
}

const leftovers = new WeakMap<TestContext, (() => Promise<void>)[]>()

/** Is done after the test; what was asked for last is done first. */
export function finallyDo(t: TestContext, work: () => Promise<void>): void {
  const known = leftovers.get(t)
  if (known !== undefined) {
    known.push(work)
    return
  }
  const stack = [work]
  leftovers.set(t, stack)
  t.after(async () => {
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) await next()
  })
}

/** A topic of its own, deleted after the test. */
export async function aTopic(
  t: TestContext,
  features: Features,
  log: Log,
  partitions = 1,
): Promise<string> {
  const topic = `log-test-${randomBytes(5).toString('hex')}`
  await log.createTopics([{ topic, partitions, settings: features.settings }])
  finallyDo(t, () => log.deleteTopics([topic]))
  return topic
}

/** Opens a log that is closed after the test. */
export function opened(t: TestContext, features: Features): Log {
  const log = features.open()
  finallyDo(t, () => log.close())
  return log
}

export async function append(
  log: Log,
  topic: string,
  records: readonly OutgoingRecord[],
): Promise<void> {
  const producer = await log.producer()
  await producer.append(topic, records)
  await producer.close()
}

export async function readAll(
  log: Log,
  options: { topic: string; partition: number; from?: number; to?: number },
): Promise<Seen[]> {
  const seen: Seen[] = []
  for await (const batch of log.read({ from: 0, ...options })) seen.push(...recordsOf(batch))
  return seen
}

/** Resolves when `isDone`; rejects with what was waited for where that takes too long. */
export async function until(what: string, isDone: () => boolean, msMax = 20_000): Promise<void> {
  const deadline = performance.now() + msMax
  while (!isDone()) {
    if (performance.now() > deadline) throw new Error(`waited ${msMax} ms for ${what}`)
    await sleep(10)
  }
}

/** A subscriber that remembers what it was told. */
export interface Member {
  readonly subscription: Subscription
  readonly seen: Seen[]
  readonly batches: number[]
  /** Each call of onAssigned and onRevoked, such as `+0,1` and `-1`. */
  readonly calls: string[]
  readonly failures: unknown[]
  /** By partition, as last assigned. */
  owned: readonly OwnedPartition[]
}

export interface MemberOptions {
  readonly topic: string
  readonly group: string
  readonly from?: ReadonlyMap<string, number>
  readonly sessionTimeoutMs?: number
  readonly fetchBytesMax?: number
  onBatch?(batch: RecordBatch, owned: OwnedPartition, member: Member): Promise<void>
}

const numbers = (partitions: readonly OwnedPartition[]) =>
  partitions
    .map(({ partition }) => partition)
    .sort((a, b) => a - b)
    .join(',')

/** Subscribes; left before the log is closed. */
export async function aMember(t: TestContext, log: Log, options: MemberOptions): Promise<Member> {
  const {
    topic,
    group,
    from = new Map<string, number>(),
    sessionTimeoutMs,
    fetchBytesMax,
  } = options
  const member: Omit<Member, 'subscription'> & { subscription?: Subscription } = {
    seen: [],
    batches: [],
    calls: [],
    failures: [],
    owned: [],
  }
  const subscribe: SubscribeOptions = {
    group,
    topics: [topic],
    ...(sessionTimeoutMs === undefined ? {} : { sessionTimeoutMs }),
    ...(fetchBytesMax === undefined ? {} : { fetchBytesMax }),
    onAssigned(owned) {
      member.calls.push(`+${numbers(owned)}`)
      member.owned = owned
      return Promise.resolve(from)
    },
    onRevoked(lost) {
      member.calls.push(`-${numbers(lost)}`)
      return Promise.resolve()
    },
    async onBatch(batch, owned) {
      member.batches.push(batch.count)
      member.seen.push(...recordsOf(batch))
      await options.onBatch?.(batch, owned, member as Member)
    },
    onFailed(error) {
      member.failures.push(error)
    },
  }
  member.subscription = await log.subscribe(subscribe)
  finallyDo(t, () => member.subscription!.close())
  return member as Member
}

export const at = (topic: string, offsets: Readonly<Record<number, number>>) =>
  new Map(
    Object.entries(offsets).map(([partition, offset]) => [
      partitionKey(topic, Number(partition)),
      offset,
    ]),
  )
