import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Addresses } from '../../src/kernel/addresses.ts'
import type { Config } from '../../src/kernel/config.ts'
import { connectLog } from '../../src/log/connect.ts'
import type { Log } from '../../src/log/log.ts'
import { type Topics, topicNames, topicSpecs } from '../../src/log/topics.ts'
import { ensureTables } from '../../src/sinks/tables.ts'
import { testConfig } from '../support/config.ts'
import { dropTables, questdbQuery } from '../support/questdb.ts'
import { onFreePorts } from '../support/roles.ts'
import type { Order } from './failpoint.ts'
import { Kept } from './kept.ts'
import { type Load, startLoad } from './load.ts'
import type { Stage } from './stage.ts'

/** How large a scene is: see `docs/faults.md`. */
export interface Size {
  readonly meters: number
  readonly warmUpMinutes: number
  readonly messagesPerSecond: number
}

export interface SceneOptions {
  readonly stage: Stage
  readonly size: Size
  readonly seed: number
  /** Where processors find QuestDB, by number; by default where it is. */
  readonly questdbUrls?: readonly string[]
  readonly say: (text: string) => void
}

/** A busy machine starts three processes in its own time. */
const READY_SECONDS_MAX = 120
const RECOVERY_SECONDS_MAX = 60
const LOOK_MS = 500

/** One scenario's pipeline: topics and tables of its own, a bridge, two processors, a load. */
export class Scene {
  readonly options: SceneOptions
  config: Config & Addresses
  readonly topics: Topics
  readonly log: Log
  readonly bridge: Kept
  readonly processors: Kept[] = []
  /** Faults that took place as they were meant to. */
  reached = 0
  /** What broke a promise, in words. */
  readonly failures: string[] = []
  readonly recoverySeconds: number[] = []
  load!: Load
  private readonly closers: (() => Promise<void>)[] = []
  private readonly scope = {
    after: (end: () => Promise<void>) => void this.closers.push(end),
  }
  private readonly looking: NodeJS.Timeout
  private isOver = false
  private orders = 0
  private highest: number[] = []

  private constructor(options: SceneOptions, config: Config & Addresses, log: Log) {
    this.options = options
    this.config = config
    this.log = log
    this.topics = topicNames(config.topicPrefix)
    this.bridge = this.keep('bridge', 'bridge', config)
    this.looking = setInterval(() => {
      for (const kept of this.all) kept.look()
    }, LOOK_MS)
  }

  /** Resolves when all are ready and the warm-up is in the log. */
  static async open(options: SceneOptions): Promise<Scene> {
    const given = testConfig({ ...options.stage.settings, logLevel: 'warn' })
    const config = await onFreePorts(given)
    const log = await connectLog(config)
    const { partitions, questdbUrl, tablePrefix: prefix } = config
    await log.createTopics(
      topicSpecs(topicNames(config.topicPrefix), { partitions, retentionBytes: -1 }),
    )
    await ensureTables({ questdbUrl, prefix })
    const scene = new Scene(options, config, log)
    try {
      await scene.addProcessor()
      await scene.addProcessor()
      await scene.allReady()
      scene.load = await scene.startLoad()
      return scene
    } catch (error) {
      await scene.close()
      throw error
    }
  }

  private startLoad(): Promise<Load> {
    const { stage, size, seed } = this.options
    return startLoad({
      mqttUrl: `mqtt://127.0.0.1:${this.config.mqttPort}`,
      ledgerFile: join(stage.dataDir, `${this.config.topicPrefix}ledger.jsonl`),
      seed,
      ...size,
    })
  }

  private keep(name: string, role: 'bridge' | 'processor', config: Config & Addresses): Kept {
    const onUnasked = (text: string) => this.options.say(`    ${text}`)
    const isOver = () => this.isOver
    return new Kept({ scope: this.scope, name, role, config, isOver, onUnasked })
  }

  async addProcessor(): Promise<Kept> {
    const i = this.processors.length
    const questdbUrl = this.options.questdbUrls?.[i] ?? this.config.questdbUrl
    const config = await onFreePorts({ ...this.config, questdbUrl })
    const kept = this.keep(`processor-${i}`, 'processor', config)
    this.processors.push(kept)
    return kept
  }

  get all(): readonly Kept[] {
    return [this.bridge, ...this.processors]
  }

  /** @throws Error with what the roles said where one of them is not ready in time. */
  async allReady(): Promise<void> {
    const ready = () => Promise.all(this.all.map((kept) => readyNow(kept.opsUrl)))
    if (await this.until(READY_SECONDS_MAX, () => ready().then(() => true))) return
    const outputs = this.all.map((kept) => `${kept.name}: ${kept.output()}`)
    throw new Error(`not ready within ${READY_SECONDS_MAX} s:\n${outputs.join('\n')}`)
  }

  /** What a role is told so that it ends or stops itself at a place. */
  order(place: Order['place'], pass: number, signal: Order['signal'] = 'SIGKILL'): Order {
    const file = join(this.options.stage.dataDir, `${this.config.topicPrefix}${this.orders++}`)
    return { place, pass, signal, file }
  }

  wasReached({ file }: Order): boolean {
    return existsSync(file) && readFileSync(file, 'utf8') !== ''
  }

  fail(text: string): void {
    this.failures.push(text)
    this.options.say(`    ${text}`)
  }

  /** O7: a fault that did not take place is no test of anything. */
  expectReached(what: string, isReached: boolean): void {
    if (isReached) this.reached++
    else this.fail(`O7 not exercised: ${what}`)
  }

  /** Waits for a condition; answers whether it came in time. */
  async until(limitSeconds: number, holds: () => boolean | Promise<boolean>): Promise<boolean> {
    const deadlineMs = performance.now() + 1_000 * limitSeconds
    for (;;) {
      // A server that is just coming back answers with an error.
      const isSo = await Promise.resolve()
        .then(holds)
        .catch(() => false)
      if (isSo) return true
      if (performance.now() > deadlineMs) return false
      await sleep(50)
    }
  }

  async committed(): Promise<readonly number[]> {
    const group = `${this.config.topicPrefix}${this.config.processorGroup}`
    const committed = await this.log.committed(group, this.topics.readings)
    const offsets = committed.map(({ offset }) => Math.max(0, offset))
    for (const [p, offset] of offsets.entries()) {
      const before = this.highest[p] ?? 0
      if (offset < before) this.fail(`O4 partition ${p} was committed back to ${offset}`)
      this.highest[p] = Math.max(before, offset)
    }
    return offsets
  }

  /** From their next start on the processors are of another group, which begins at offset 0. */
  regroup(processorGroup: string): void {
    this.config = { ...this.config, processorGroup }
    for (const processor of this.processors) processor.reconfigure({ processorGroup })
    this.highest = []
  }

  /**
   * O5: after the fault is over all that is in the log now is processed within a minute, visible in
   * QuestDB, and all roles say that they are ready.
   */
  async recovered(what: string): Promise<void> {
    const began = performance.now()
    let ends: readonly number[] | undefined
    const transactions = new Map<string, number>()
    let state = 'the log does not answer'
    const done = await this.until(RECOVERY_SECONDS_MAX, async () => {
      ends ??= await this.log.endOffsets(this.topics.readings)
      const committed = await this.committed()
      state = `committed ${committed.join()} of ${ends.join()}`
      if (ends.some((end, p) => (committed[p] ?? 0) < end)) return false
      state = 'QuestDB has not applied what it has acknowledged'
      if (!(await this.applied(transactions))) return false
      state = 'a role is not ready'
      await Promise.all(this.all.map((kept) => readyNow(kept.opsUrl)))
      return true
    })
    const seconds = (performance.now() - began) / 1_000
    this.recoverySeconds.push(seconds)
    if (done) this.options.say(`    ${what}: recovered in ${seconds.toFixed(1)} s`)
    else this.fail(`O5 not recovered within ${RECOVERY_SECONDS_MAX} s after ${what}: ${state}`)
  }

  /**
   * Whether every transaction that was acknowledged when it was first asked is visible, and no
   * table is suspended: under load there are always newer ones.
   */
  private async applied(wanted: Map<string, number>): Promise<boolean> {
    const rows = await questdbQuery(
      this.config.questdbUrl,
      'select name, suspended, writerTxn, sequencerTxn from wal_tables()',
    )
    const own = rows.filter(([name]) => String(name).startsWith(this.config.tablePrefix))
    return own
      .map(([name, suspended, writer, sequencer]) => {
        const table = String(name)
        if (!wanted.has(table)) wanted.set(table, Number(sequencer))
        return suspended === false && Number(writer) >= wanted.get(table)!
      })
      .every((isApplied) => isApplied)
  }

  async close(): Promise<void> {
    this.isOver = true
    clearInterval(this.looking)
    await (this.load as Load | undefined)?.close()
    await Promise.all(this.closers.map((end) => end()))
    await this.log.deleteTopics(Object.values(this.topics) as string[]).catch(() => undefined)
    await this.log.close()
    await dropTables(this.config).catch(() => undefined)
  }
}

async function readyNow(opsUrl: string): Promise<void> {
  const response = await fetch(`${opsUrl}/ready`, { signal: AbortSignal.timeout(3_000) })
  const text = await response.text()
  if (!response.ok) throw new Error(text)
}
