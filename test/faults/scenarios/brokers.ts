import { setTimeout as sleep } from 'node:timers/promises'
import { ClusterView } from '../../log/cluster-view.ts'
import { killServer } from '../../support/own-kafka.ts'
import type { Scenario } from '../scenario.ts'
import type { Scene } from '../scene.ts'

/** Past the session of a broker, which others lead for then. */
const FROZEN_MS = 10_000
const IN_STEP_SECONDS_MAX = 60

/** Two of three copies are enough: all goes on while one broker is away, and when it is back. */
export const brokersLost: Scenario = {
  number: 18,
  name: 'one of three brokers killed, stopped, frozen; leaders and the coordinator moved',
  runs: { full: 8, quick: 4 },
  brokers: 3,
  async run(scene, runs) {
    const view = new ClusterView(scene.config.kafkaBrokers)
    for (let i = 0; i < runs; i++) {
      const inStep = async () => (await view.inSync(scene.topics.readings)) === 3
      if (!(await scene.until(IN_STEP_SECONDS_MAX, inStep))) scene.fail('copies are not in step')
      await FAULTS[i % FAULTS.length]!(scene, view)
    }
  },
}

async function coordinatorKilled(scene: Scene, view: ClusterView): Promise<void> {
  const group = `${scene.config.topicPrefix}${scene.config.processorGroup}`
  const node = await view.coordinator(group)
  await killServer(brokerOf(scene, node))
  await scene.recovered('the coordinator was killed, and is away')
  scene.expectReached(
    'the coordinator did not move',
    await scene.until(1, async () => ![node, -1].includes(await view.coordinator(group))),
  )
  await brokerOf(scene, node).start()
  await scene.recovered('it was back')
}

async function leadersMoved(scene: Scene, view: ClusterView): Promise<void> {
  const { readings, windows, contributions, state } = scene.topics
  for (const topic of [readings, windows, contributions, state]) await view.moveLeaders(topic)
  scene.expectReached('leaders did not move', true)
  await scene.recovered('leaders were moved')
}

async function leaderStopped(scene: Scene, view: ClusterView): Promise<void> {
  const node = (await view.leaders(scene.topics.readings))[0]!
  await brokerOf(scene, node).stop()
  await scene.recovered('a leader was stopped in order, and is away')
  await expectOthersLead(scene, view, node)
  await brokerOf(scene, node).start()
  await scene.recovered('it was back')
}

async function leaderFrozen(scene: Scene, view: ClusterView): Promise<void> {
  // The first one that is named is another matter: see the limits in docs/faults.md.
  const node = (await view.leaders(scene.topics.readings)).find((leader) => leader > 1)
  if (node === undefined) {
    scene.expectReached('the first broker led all', false)
    return
  }
  const pid = brokerOf(scene, node).pid!
  process.kill(pid, 'SIGSTOP')
  try {
    await sleep(FROZEN_MS)
    await scene.recovered('a leader was frozen, and is so')
    await expectOthersLead(scene, view, node)
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  await scene.recovered('it woke up')
}

async function expectOthersLead(scene: Scene, view: ClusterView, node: number): Promise<void> {
  const isSo = async () => !(await view.leaders(scene.topics.readings)).includes(node)
  scene.expectReached('no other broker led', await scene.until(1, isSo))
}

const FAULTS = [coordinatorKilled, leadersMoved, leaderStopped, leaderFrozen]

const brokerOf = (scene: Scene, node: number) => scene.options.stage.brokers[node - 1]!
