import { messageOf } from '../../src/kernel/errors.ts'
import { smallDisk } from './disk.ts'
import { type Figures, judge } from './judge.ts'
import { Scene, type Size } from './scene.ts'
import type { Scenario } from './scenario.ts'
import { bridgeKilled } from './scenarios/bridge.ts'
import { brokersLost } from './scenarios/brokers.ts'
import { diskFull } from './scenarios/disk.ts'
import { processorKilled } from './scenarios/processor.ts'
import { rebalanceStorm } from './scenarios/rebalance.ts'
import { replayed } from './scenarios/replay.ts'
import { kafkaKilled, questdbKilled } from './scenarios/servers.ts'
import { partialSink } from './scenarios/sink.ts'
import { zombie } from './scenarios/zombie.ts'
import { openStage, type Stage } from './stage.ts'

/** By their numbers in `docs/faults.md`. */
export function scenarios(): readonly Scenario[] {
  return [
    ...[bridgeKilled, processorKilled, kafkaKilled, questdbKilled, rebalanceStorm, zombie()],
    ...[partialSink(), diskFull, replayed, brokersLost],
  ]
}

export interface RunOptions {
  /** Which to run; undefined: all. */
  readonly only: readonly number[] | undefined
  readonly isQuick: boolean
  /** How many times the usual number of faults. */
  readonly times: number
  readonly seed: number
  readonly size: Size
  readonly say: (text: string) => void
}

/** One line of the closing table. */
export interface Result extends Figures {
  readonly scenario: number
  readonly name: string
  readonly runs: number
  readonly reached: number
  readonly recoverySecondsMax: number
  readonly failures: readonly string[]
  readonly seconds: number
}

/** Runs scenarios one after the other on servers of their own. */
export async function runScenarios(options: RunOptions): Promise<readonly Result[]> {
  const chosen = scenarios().filter(({ number }) => options.only?.includes(number) ?? true)
  const results: Result[] = []
  const shared = chosen.filter(({ ownDisk }) => ownDisk !== true)
  for (const [brokers, alike] of Map.groupBy(shared, (one) => one.brokers ?? 1)) {
    const stage = await openStage({ brokers })
    try {
      for (const scenario of alike) results.push(await runScenario(stage, scenario, options))
    } finally {
      await stage.close()
    }
  }
  for (const scenario of chosen.filter(({ ownDisk }) => ownDisk === true)) {
    results.push(await onSmallDisk(scenario, options))
  }
  return results.sort((a, b) => a.scenario - b.scenario)
}

async function onSmallDisk(scenario: Scenario, options: RunOptions): Promise<Result> {
  const disk = smallDisk()
  if (disk === undefined) {
    const why = 'O7 not exercised: only a user who may mount a tmpfs has a disk that can be filled'
    return { ...nothing(scenario, runsOf(scenario, options)), failures: [why] }
  }
  try {
    const stage = await openStage({ dataDir: disk.folder })
    try {
      return await runScenario(stage, scenario, options)
    } finally {
      await stage.close()
    }
  } finally {
    disk.remove()
  }
}

function runsOf({ runs }: Scenario, { isQuick, times }: RunOptions): number {
  return Math.max(1, Math.round(times * (isQuick ? runs.quick : runs.full)))
}

function nothing({ number, name }: Scenario, runs: number): Result {
  return {
    ...{ scenario: number, name, runs, reached: 0, acknowledged: 0, rowsCompared: 0, lost: 0 },
    ...{ missing: 0, doubled: 0, different: 0, recoverySecondsMax: 0, failures: [], seconds: 0 },
  }
}

async function runScenario(stage: Stage, scenario: Scenario, options: RunOptions): Promise<Result> {
  const { isQuick, seed, say } = options
  const runs = runsOf(scenario, options)
  const began = performance.now()
  say(`${scenario.number} ${scenario.name}`)
  const between = await scenario.between?.(stage.settings.questdbUrl)
  let scene: Scene | undefined
  let figures: Partial<Figures> = {}
  const failures: string[] = []
  try {
    const size = { ...options.size, ...scenario.size }
    scene = await Scene.open({ stage, size, seed, say, ...between })
    await scenario.run(scene, runs, isQuick)
    figures = await judge(scene)
  } catch (error) {
    failures.push(error instanceof Error ? (error.stack ?? error.message) : messageOf(error))
    say(`    ${failures[0]!}`)
  } finally {
    await scene?.close()
    await between?.close()
  }
  const seconds = (performance.now() - began) / 1_000
  say(`    ${seconds.toFixed(0)} s`)
  return {
    ...nothing(scenario, runs),
    ...figures,
    reached: scene?.reached ?? 0,
    recoverySecondsMax: Math.max(0, ...(scene?.recoverySeconds ?? [])),
    failures: [...(scene?.failures ?? []), ...failures],
    seconds,
  }
}
