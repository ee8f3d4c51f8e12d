import { startRuntime } from '../../src/engine/runtime.ts'
import type { RowBatch } from '../../src/engine/sink.ts'
import { VirtualTime } from '../../src/engine/virtual-time.ts'
import type { VirtualProcess } from '../../src/engine/virtual-time.ts'
import { HandClock } from '../../src/engine/driver.ts'
import { tickRecords } from '../../src/log/control.ts'
import type { Log } from '../../src/log/log.ts'
import { MemoryLog } from '../../src/log/memory.ts'
import { tableTopicSpec, topicNames } from '../../src/log/topics.ts'
import type { Dice } from './dice.ts'
import { LIMITS } from './limits.ts'
import type { Plan } from './plan.ts'
import { Processor, isFault } from './process.ts'
import type { Surroundings } from './process.ts'
import { Promises } from './promises.ts'
import { stagesOf } from './stages.ts'
import type { Stage } from './stages.ts'
import { Violation } from './subject.ts'
import type { Subject } from './subject.ts'
import { HeldTables } from './tables.ts'

/** As the group takes a processor for dead, in virtual time. */
const SESSION_MILLIS = 3_000
/** How often it is asked whether something befalls a processor. */
const TROUBLE_MILLIS = 100
/** What is on its way when a session ends has landed by then: rows are written once more. */
const REWRITE_MILLIS = 7_000
/** What is left to do when the faults are over is done within this. */
const HEAL_MILLIS = 120_000

/**
 * Processors on one log, one group and one set of tables, in virtual time. Whatever happens is
 * decided by the dice; nothing waits for a real timer.
 */
export class World implements Surroundings {
  readonly dice: Dice
  readonly time: VirtualTime
  /** What is on its way belongs to nobody who could be killed. */
  readonly network: VirtualProcess
  readonly clock = new HandClock()
  readonly log: MemoryLog
  readonly topics = topicNames()
  readonly tables: HeldTables
  readonly promises: Promises
  steps = 0
  /** A sum of all that happened, in its order. */
  trace = 0
  violation: Error | undefined
  private readonly plan: Plan
  private readonly subject: Subject
  private readonly stages: readonly Stage[]
  private readonly processors: (Processor | undefined)[]
  /** Records after which a snapshot is due; 0: none is. */
  private readonly snapshotEvery: number
  private started = 0
  private isFed = false

  private readonly tell: ((line: string) => void) | undefined

  constructor(dice: Dice, plan: Plan, subject: Subject, tell?: (line: string) => void) {
    this.tell = tell
    this.dice = dice
    this.plan = plan
    this.subject = subject
    this.time = new VirtualTime({
      tie: () => dice.next('order'),
      workMillis: () => dice.next('work') * 3,
    })
    this.network = this.time.process()
    const size = dice.chance('batch', 0.3) ? 1 : dice.whole('batch', 2, 60)
    this.log = new MemoryLog(this.clock, { batchRecords: () => dice.whole('batch', 1, size) })
    this.tables = new HeldTables((key, row) => this.promises.onRow(key, row))
    const { log, topics, tables } = this
    this.stages = stagesOf(plan, topics)
    this.promises = new Promises(log, topics, plan.partitions, subject, this.stages, tables)
    this.snapshotEvery = dice.chance('snapshots', 0.7) ? dice.whole('snapshots', 10, 150) : 0
    this.processors = Array.from({ length: plan.members }, () => undefined)
  }

  note(what: string): void {
    this.tell?.(`${this.time.nowMillis.toFixed(1).padStart(10)} ${what}`)
    for (let i = 0; i < what.length; i++) {
      this.trace = (Math.imul(this.trace, 31) + what.charCodeAt(i)) | 0
    }
  }

  fail(error: unknown): void {
    this.violation ??= error instanceof Error ? error : new Error(String(error))
  }

  upsert(batch: RowBatch, from: number, to: number, isLate: boolean): void {
    try {
      this.promises.isExcused = isLate
      this.tables.upsert(batch, from, to)
    } catch (error) {
      this.fail(error)
    }
  }

  /** All of it, to the end. @throws Violation, and what the engine should not have thrown. */
  async run(): Promise<void> {
    const { topics, plan, dice, time } = this
    for (const topic of Object.values(topics) as string[]) {
      await this.log.createTopics([{ topic, partitions: plan.partitions, settings: {} }])
    }
    await this.log.createTopics(LIMITS.map(({ topic }) => tableTopicSpec(topic)))
    this.watchCommits()
    for (const i of this.processors.keys()) this.start(i)
    void this.feed()
    void this.trouble()
    while (!this.isFed) await this.step()
    dice.isHealed = true
    this.heal()
    const calmFrom = time.nowMillis + SESSION_MILLIS + 2 * REWRITE_MILLIS
    const deadline = time.nowMillis + HEAL_MILLIS
    await this.settle(calmFrom, deadline)
    if (plan.hasTotals) {
      // What changed last in a total is told by the next record.
      this.clock.micros += 2_000_000
      const ticks = tickRecords(this.subject.codecs.control, 'simulation', plan.partitions)
      this.log.appendNow(topics.contributions, ticks)
      await this.settle(calmFrom, deadline)
    }
    await this.promises.checkEnd()
  }

  /** Until all is done, and what was on its way has come to its end. */
  private async settle(calmFrom: number, deadline: number): Promise<void> {
    while (!(await this.isDone()) || this.time.nowMillis < calmFrom) {
      if (!(await this.step())) break
      if (this.time.nowMillis > deadline) throw new Violation(await this.lag())
    }
  }

  /** False where nobody waits for anything any more. */
  private async step(): Promise<boolean> {
    this.steps++
    const goesOn = await this.time.step()
    if (this.violation !== undefined) throw this.violation
    if (!goesOn && !(await this.isDone()))
      throw new Violation(`nobody waits for anything any more; ${await this.lag()}`)
    if (this.dice.hit('crash anywhere')) {
      const alive = this.processors.filter((one) => one !== undefined)
      if (alive.length > 0) this.crash(alive[this.dice.whole('crash', 0, alive.length - 1)]!)
    }
    return goesOn
  }

  private async lag(): Promise<string> {
    const at: string[] = []
    for (const { group, input } of this.stages) {
      const ends = await this.log.endOffsets(input)
      const committed = await this.log.committed(group, input)
      at.push(...committed.map(({ offset }, p) => `${input} ${p}: ${offset} of ${ends[p]}`))
    }
    return `no progress after all has healed: committed ${at.join(', ')}`
  }

  private async isDone(): Promise<boolean> {
    for (const { group, input } of this.stages) {
      const ends = await this.log.endOffsets(input)
      const committed = await this.log.committed(group, input)
      if (ends.some((end, p) => Math.max(0, committed[p]!.offset) < end)) return false
    }
    return true
  }

  private async feed(): Promise<void> {
    const { readings } = this.topics
    for (const { atMicros, records, topic = readings, pauseMillis } of this.plan.happenings) {
      this.clock.micros = atMicros
      this.log.appendNow(topic, records)
      this.note(`append ${records.length}`)
      await this.network.sleep(pauseMillis)
    }
    this.isFed = true
  }

  /** The commits themselves are watched, whoever makes them. */
  private watchCommits(): void {
    this.log.onCommitted = (requests) => {
      this.promises.onCommitted(requests).catch((error: unknown) => this.fail(error))
    }
  }

  private start(i: number): void {
    const processor = new Processor(this, i, `p${i}.${this.started++}`)
    this.processors[i] = processor
    this.note(`${processor.name} starts`)
    for (const stage of this.stages) this.startStage(processor, stage)
  }

  private startStage(processor: Processor, stage: Stage): void {
    const fail = (error: unknown) => this.failed(processor, error)
    startRuntime({
      ...this.subject,
      ...stage,
      ...{ topics: this.topics, epoch: 0 },
      rewriteAfterMs: REWRITE_MILLIS,
      // What stands still the world itself finds.
      watchEveryMs: 0,
      member: processor.name,
      cadence: {
        isDue: (records) => this.snapshotEvery > 0 && records >= this.snapshotEvery,
        took: () => undefined,
      },
      scheduler: processor.process,
      log: processor.log() satisfies Log,
      tables: processor.tables(),
      onFailed: fail,
    }).then((runtime) => {
      processor.runtimes.push(runtime)
      processor.isUp = processor.runtimes.length === this.stages.length
    }, fail)
  }

  /** The processor gives up: its supervisor starts another one. */
  private failed(processor: Processor, error: unknown): void {
    if (!processor.process.alive) return
    this.note(`${processor.name} fails ${String(error)}`)
    if (!isFault(error)) this.fail(error)
    this.dice.reach('a processor gives up')
    this.crash(processor)
  }

  /** A kill: nothing of it goes on, and the group hears of it when the session is over. */
  crash(processor: Processor): void {
    if (!processor.process.alive) return
    this.note(`${processor.name} crashes`)
    processor.process.kill()
    for (const member of processor.members) member.suspend()
    this.later(SESSION_MILLIS, () => processor.members.forEach((member) => member.expel()))
    this.replace(processor)
  }

  /** Another one takes its place. */
  private replace({ slot }: Processor): void {
    this.processors[slot] = undefined
    this.later(this.dice.whole('restart', 50, 3_000), () => this.start(slot))
  }

  private later(millis: number, what: () => void): void {
    void this.network.sleep(millis).then(what)
  }

  /** What befalls processors as a whole, now and then. */
  private async trouble(): Promise<void> {
    const { dice } = this
    while (!this.isFed) {
      await this.network.sleep(TROUBLE_MILLIS)
      for (const processor of this.processors) {
        if (processor?.isUp !== true || processor.isPaused) continue
        if (dice.hit('pause within the session')) this.pause(processor, 0.8 * SESSION_MILLIS)
        else if (dice.hit('pause past the session')) this.pause(processor, 2.5 * SESSION_MILLIS)
        else if (dice.hit('leave and come back')) this.leave(processor)
      }
    }
  }

  private pause(processor: Processor, millisMax: number): void {
    this.note(`${processor.name} is paused`)
    processor.process.pause()
    processor.isPaused = true
    for (const member of processor.members) member.suspend()
    const millis = this.dice.next('pause') * millisMax
    if (millis > SESSION_MILLIS) {
      this.later(SESSION_MILLIS, () => {
        if (!processor.isPaused) return
        processor.isZombie = true
        for (const member of processor.members) member.expel()
      })
    }
    this.later(millis, () => this.resume(processor))
  }

  private resume(processor: Processor): void {
    if (!processor.isPaused || !processor.process.alive) return
    this.note(`${processor.name} goes on`)
    processor.isPaused = false
    for (const member of processor.members) member.revive()
    processor.process.resume()
  }

  private leave(processor: Processor): void {
    this.note(`${processor.name} leaves`)
    this.processors[processor.slot] = undefined
    const left = () => {
      processor.process.kill()
      this.replace(processor)
    }
    const stopped = Promise.all(processor.runtimes.map((runtime) => runtime.stop()))
    stopped.then(left, (error: unknown) => this.failed(processor, error))
  }

  private heal(): void {
    for (const processor of this.processors)
      if (processor?.isPaused === true) this.resume(processor)
  }
}
