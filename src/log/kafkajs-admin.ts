import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import type { Admin, Kafka } from 'kafkajs'
import { hasCode, messageOf } from '../kernel/errors.ts'
import { LIMITS } from '../kernel/limits.ts'
import { logErrors } from './errors.ts'
import type { CommittedOffset, TopicSpec } from './log.ts'

const { ConfigResourceTypes } = kafkajs

/** A setting that a topic must have: without it Kafka deletes replayed history by its old times. */
const REQUIRED_SETTING = 'message.timestamp.type'

/**
 * A partition that is new or moves has no leader for a moment, or another one than was known; so
 * has a group its coordinator, where the broker was away or out of breath.
 */
const PASSING = new Set<unknown>([
  'NOT_LEADER_FOR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'GROUP_LOAD_IN_PROGRESS',
])

function isPassing(error: unknown): boolean {
  // kafkajs stumbles over the empty answer that it makes of a topic whose leaders are away.
  return PASSING.has(typeOf(error)) || error instanceof TypeError
}

/** Topics, their settings and offsets, through one admin client that connects when it is needed. */
export class KafkajsAdmin {
  private readonly kafka: Kafka
  private readonly admin: Admin
  private readonly brokers: string
  /** What a person should know, such as a topic whose settings are not what we would have made. */
  private readonly warn: (message: string) => void
  private ready: Promise<void> | undefined
  /** A call that failed connects anew; what the first one opened is to be closed all the same. */
  private opened = false

  constructor(kafka: Kafka, brokers: string, warn: (message: string) => void) {
    this.kafka = kafka
    this.admin = kafka.admin()
    this.brokers = brokers
    this.warn = warn
  }

  private async call<T>(
    what: string,
    topic: string,
    run: (admin: Admin) => Promise<T>,
  ): Promise<T> {
    try {
      this.opened = true
      this.ready ??= this.admin.connect()
      await this.ready
      return await this.whileMoving(run)
    } catch (error) {
      if (typeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') {
        throw logErrors.unknownTopic({ topic }, error)
      }
      this.ready = undefined
      const { brokers } = this
      throw logErrors.unavailable({ brokers, what, detail: messageOf(error) }, error)
    }
  }

  /** kafkajs asks the leader that it knows of again and again; a client of its own asks anew. */
  private async whileMoving<T>(run: (admin: Admin) => Promise<T>): Promise<T> {
    const deadlineMs = performance.now() + LIMITS.logRequestMsMax
    try {
      return await run(this.admin)
    } catch (error) {
      if (!isPassing(error)) throw error
    }
    for (;;) {
      await sleep(LIMITS.logRetryMsMin)
      const admin = this.kafka.admin()
      try {
        await admin.connect()
        return await run(admin)
      } catch (error) {
        if (!isPassing(error) || performance.now() > deadlineMs) throw error
      } finally {
        await admin.disconnect()
      }
    }
  }

  async createTopics(specs: readonly TopicSpec[]): Promise<void> {
    if (specs.length === 0) return
    const found = new Set(await this.call('list topics', '', (admin) => admin.listTopics()))
    const missing = specs.filter(({ topic }) => !found.has(topic))
    if (missing.length > 0) await this.create(missing)
    for (const { topic, partitions: wanted } of specs) {
      const count = await this.countOfNew(topic)
      if (count !== wanted) throw logErrors.partitionCount({ topic, wanted, found: count })
    }
    await this.verifySettings(specs)
  }

  private async create(specs: readonly TopicSpec[]): Promise<void> {
    const topics = specs.map(({ topic, partitions, settings }) => ({
      topic,
      numPartitions: partitions,
      configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
    }))
    await this.call('create topics', '', async (admin) => {
      try {
        await admin.createTopics({ waitForLeaders: false, topics })
      } catch (error) {
        // Processes that start side by side may all find a topic missing; one of them makes it.
        const { errors = [error] } = error as { errors?: readonly unknown[] }
        if (errors.some((one) => typeOf(one) !== 'TOPIC_ALREADY_EXISTS')) throw error
      }
    })
  }

  /** A topic that was just made is not known to every broker at once. */
  private async countOfNew(topic: string): Promise<number> {
    const deadlineMs = performance.now() + LIMITS.logRequestMsMax
    for (;;) {
      try {
        return await this.partitionCount(topic)
      } catch (error) {
        const mayCome = hasCode(error, 'log.unknownTopic') && performance.now() < deadlineMs
        if (!mayCome) throw error
        await sleep(LIMITS.logRetryMsMin)
      }
    }
  }

  /**
   * @throws log.topicSetting where history would be lost; other differences are a person's choice.
   */
  private async verifySettings(specs: readonly TopicSpec[]): Promise<void> {
    const names = new Set(specs.flatMap(({ settings }) => Object.keys(settings)))
    const answer = await this.call('describe topics', specs[0]!.topic, (admin) =>
      admin.describeConfigs({
        includeSynonyms: false,
        resources: specs.map(({ topic }) => ({
          type: ConfigResourceTypes.TOPIC,
          name: topic,
          configNames: [...names, 'min.insync.replicas'],
        })),
      }),
    )
    const settings = new Map(
      answer.resources.map(({ resourceName, configEntries }) => [
        resourceName,
        new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
      ]),
    )
    for (const spec of specs) {
      for (const [setting, wanted] of Object.entries(spec.settings)) {
        const found = settings.get(spec.topic)?.get(setting) ?? ''
        if (found === wanted) continue
        const error = logErrors.topicSetting({ topic: spec.topic, setting, wanted, found })
        if (setting === REQUIRED_SETTING) throw error
        this.warn(error.message)
      }
    }
    const copies = specs.map(({ topic }) => settings.get(topic)?.get('min.insync.replicas'))
    await this.warnOfFewCopies(
      specs[0]!.topic,
      Math.min(...copies.map((text) => Number(text ?? 1))),
    )
  }

  private async warnOfFewCopies(topic: string, copies: number): Promise<void> {
    if (copies >= 2) return
    const cluster = await this.call('describe the cluster', '', (admin) => admin.describeCluster())
    // One broker alone is the embedded one, or a choice: there is nothing to be gained.
    if (cluster.brokers.length < 2) return
    this.warn(
      `min.insync.replicas of ${topic} is ${copies}: what is acknowledged may be on one broker ` +
        'alone; set it to 2 with a replication factor of 3',
    )
  }

  async deleteTopics(topics: readonly string[]): Promise<void> {
    const found = new Set(await this.call('list topics', '', (admin) => admin.listTopics()))
    const there = topics.filter((topic) => found.has(topic))
    if (there.length === 0) return
    await this.call('delete topics', there.join(', '), (admin) =>
      admin.deleteTopics({ topics: there }),
    )
  }

  async partitionCount(topic: string): Promise<number> {
    const answer = await this.call('describe topics', topic, (admin) =>
      admin.fetchTopicMetadata({ topics: [topic] }),
    )
    return answer.topics[0]?.partitions.length ?? 0
  }

  /** The first offset and the end offset of each partition. */
  async offsets(topic: string): Promise<readonly { begin: number; end: number }[]> {
    // Of a topic that is none kafkajs would ask for offsets again and again; this is told at once.
    await this.partitionCount(topic)
    const found = await this.call('list offsets', topic, (admin) => admin.fetchTopicOffsets(topic))
    return found
      .sort((a, b) => a.partition - b.partition)
      .map(({ low, high }) => ({ begin: Number(low), end: Number(high) }))
  }

  async deleteRecords(topic: string, partition: number, before: number): Promise<void> {
    const begin = (await this.offsets(topic))[partition]?.begin ?? 0
    // kafkajs refuses what is freed already.
    if (before <= begin) return
    await this.call('delete records', topic, (admin) =>
      admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(before) }] }),
    )
  }

  async committed(group: string, topic: string): Promise<readonly CommittedOffset[]> {
    const found = await this.call('fetch commits', topic, (admin) =>
      admin.fetchOffsets({ groupId: group, topics: [topic] }),
    )
    return (found[0]?.partitions ?? [])
      .sort((a, b) => a.partition - b.partition)
      .map(({ offset, metadata }) => ({
        // kafkajs commits -2 by itself where a committed offset is no longer in the log.
        offset: Math.max(-1, Number(offset)),
        metadata: metadata ?? '',
      }))
  }

  async close(): Promise<void> {
    // Who disconnects while a connection is being made leaves it open.
    await this.ready?.catch(() => undefined)
    if (this.opened) await this.admin.disconnect()
  }
}

/** The broker's name of an error, such as UNKNOWN_TOPIC_OR_PARTITION. */
function typeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'type' in error ? error.type : undefined
}
