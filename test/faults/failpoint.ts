import { openSync, writeSync } from 'node:fs'
import type { TableSink } from '../../src/engine/sink.ts'
import type { Log, Producer, RecordBatch, Subscription } from '../../src/log/log.ts'

/**
 * Runs inside a role that a fault test has started (`test/faults/failpoints.ts` edits it in): at a
 * place between the engine and its log and tables it kills or stops its own process.
 */
export interface Order {
  readonly place: Place
  /** The how-manieth time at this place. */
  readonly pass: number
  readonly signal: 'SIGKILL' | 'SIGSTOP'
  /** Told to this file before the signal. */
  readonly file: string
}

export const PLACES = [
  'before-flush',
  'partial-flush',
  'after-flush',
  'before-append',
  'after-append',
  'before-commit',
  'after-commit',
  'in-batch',
  'after-batch',
  'on-revoke',
  'on-assign',
  'mid-restore',
  'after-restore',
  'before-snapshot',
  'mid-snapshot',
] as const
export type Place = (typeof PLACES)[number]

const given = process.env['METERLOOM_FAILPOINT']
const order = given === undefined ? undefined : (JSON.parse(given) as Order)
let passes = 0

function at(place: Place): void {
  if (order?.place !== place || ++passes !== order.pass) return
  writeSync(openSync(order.file, 'a'), `${place}\n`)
  process.kill(process.pid, order.signal)
}

/** The same object with some of its methods wrapped. */
function wrapped<T extends object>(inner: T, methods: Partial<T>): T {
  return new Proxy(inner, {
    get(target, name) {
      const own: unknown = Reflect.get(methods, name)
      if (own !== undefined) return own
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

async function around<T>(before: Place, work: () => Promise<T>, after: Place): Promise<T> {
  at(before)
  const result = await work()
  at(after)
  return result
}

const INPUT = /readings$/
const OUTPUTS = /(windows|anomalies)$/
const SNAPSHOTS = /state$/

function watchedProducer(inner: Producer): Producer {
  return wrapped(inner, {
    append(topic, ...rest) {
      const append = () => inner.append(topic, ...rest)
      if (OUTPUTS.test(topic)) return around('before-append', append, 'after-append')
      if (SNAPSHOTS.test(topic)) return around('before-snapshot', append, 'mid-snapshot')
      return append()
    },
  })
}

function watchedSubscription(inner: Subscription): Subscription {
  return wrapped(inner, {
    commit: (...args) => around('before-commit', () => inner.commit(...args), 'after-commit'),
  })
}

async function* watchedRead(batches: AsyncIterable<RecordBatch>): AsyncGenerator<RecordBatch> {
  for await (const batch of batches) {
    yield batch
    at('mid-restore')
  }
}

export function watchedLog(inner: Log): Log {
  return wrapped(inner, {
    producer: async (options) => watchedProducer(await inner.producer(options)),
    read: (options) => watchedRead(inner.read(options)),
    subscribe: async (options) => {
      // The second stage's own coming and going is another matter.
      if (!options.topics.some((topic) => INPUT.test(topic))) return inner.subscribe(options)
      return watchedSubscription(
        await inner.subscribe({
          ...options,
          onAssigned: (owned) =>
            around('on-assign', () => options.onAssigned(owned), 'after-restore'),
          onRevoked(lost) {
            at('on-revoke')
            return options.onRevoked(lost)
          },
          onBatch: (batch, owned) =>
            around('in-batch', () => options.onBatch(batch, owned), 'after-batch'),
        }),
      )
    },
  })
}

/** The flush is partial when the raw rows are acknowledged and those of windows may not be. */
export function watchedSink<T extends TableSink>(inner: T): T {
  const methods: Partial<TableSink> = {
    async write(batch, ...rest) {
      at('before-flush')
      await inner.write(batch, ...rest)
      if (batch.spec.table === 'readings') at('partial-flush')
      if (batch.spec.table === 'windows') at('after-flush')
    },
  }
  return wrapped(inner, methods as Partial<T>)
}
