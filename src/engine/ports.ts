import type {
  Log,
  Producer,
  ReadOptions,
  RecordBatch,
  SubscribeOptions,
  Subscription,
} from '../log/log.ts'
import type { TableSink } from './sink.ts'

/**
 * What lies between a process and the world: every call of a port goes through here, so that a test
 * decides when it takes effect, whether its answer comes back, and whether the process is still
 * there by then.
 */
export interface Passage {
  /**
   * Lets `effect` happen, or not, and answers what came of it. May never settle.
   *
   * @param args what the port was called with, where it was.
   */
  call<T>(port: string, effect: () => T | Promise<T>, args?: readonly unknown[]): Promise<T>
}

type Anything = Record<PropertyKey, unknown>

/** `target` with every method behind the passage, but for those that are given. */
function behind<T extends object>(
  target: T,
  passage: Passage,
  name: string,
  own: Partial<T> = {},
): T {
  return new Proxy(target, {
    get(_, key) {
      if (key in own) return (own as Anything)[key]
      const value = Reflect.get(target, key, target) as unknown
      if (typeof value !== 'function') return value
      return (...args: unknown[]) =>
        passage.call(
          `${name}.${String(key)}`,
          () => Reflect.apply(value, target, args) as unknown,
          args,
        )
    },
  })
}

export function sinkBehind(sink: TableSink, passage: Passage): TableSink {
  return behind(sink, passage, 'tables')
}

/**
 * @param onSubscribed The subscription itself, as the group knows it, before the process has it.
 */
export function logBehind<S extends Subscription>(
  log: Omit<Log, 'subscribe'> & { subscribe(options: SubscribeOptions): Promise<S> },
  passage: Passage,
  onSubscribed: (made: S) => void,
): Log {
  return behind<Log>(log, passage, 'log', {
    producer: async (options) => {
      const made = await passage.call('log.producer', () => log.producer(options))
      return behind<Producer>(made, passage, 'producer')
    },
    subscribe: (options) =>
      passage.call('log.subscribe', async () => {
        const made = await log.subscribe(optionsBehind(options, passage))
        onSubscribed(made)
        return behind<Subscription>(made, passage, 'group', {
          pause: (partitions) => made.pause(partitions),
          resume: (partitions) => made.resume(partitions),
        })
      }),
    read: (options) => readBehind(log, options, passage),
    tail: (options) =>
      passage.call('log.tail', async () => {
        const onBatch = (batch: RecordBatch) =>
          passage.call('tail.batch', () => Promise.resolve()).then(() => options.onBatch(batch))
        const made = await log.tail({ ...options, onBatch })
        return behind(made, passage, 'tail')
      }),
  })
}

/** The process is told of what the group does as late as the passage lets it. */
function optionsBehind(options: SubscribeOptions, passage: Passage): SubscribeOptions {
  const told = (what: string) => passage.call(`group.${what}`, () => undefined)
  return {
    ...options,
    onRebalancing: (settled) => told('rebalancing').then(() => options.onRebalancing?.(settled)),
    onAssigned: (owned) => told('assigned').then(() => options.onAssigned(owned)),
    onRevoked: (lost) => told('revoked').then(() => options.onRevoked(lost)),
    onBatch: (batch, owned) => told('batch').then(() => options.onBatch(batch, owned)),
    onFailed: (error) => void told('failed').then(() => options.onFailed(error)),
  }
}

async function* readBehind(
  log: Pick<Log, 'read'>,
  options: ReadOptions,
  passage: Passage,
): AsyncGenerator<RecordBatch> {
  for await (const batch of log.read(options)) {
    await passage.call('log.read', () => undefined, [options])
    yield batch
  }
}
