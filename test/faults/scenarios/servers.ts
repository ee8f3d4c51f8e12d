import { setTimeout as sleep } from 'node:timers/promises'
import { killServer } from '../../support/own-kafka.ts'
import { questdbQuery } from '../../support/questdb.ts'
import type { Scene } from '../scene.ts'
import type { Scenario } from '../scenario.ts'

/** Every role stays, and resumes unaided: one that ends by itself is a failure. */
export const kafkaKilled: Scenario = {
  number: 4,
  name: 'Kafka killed, and restarted in order',
  runs: { full: 7, quick: 1 },
  async run(scene, runs) {
    const kafka = scene.options.stage.brokers[0]!
    for (let i = 0; i < runs; i++) {
      const inOrder = i % 4 === 3
      if (inOrder) await kafka.stop()
      else await killServer(kafka)
      await sleep(500)
      const before = scene.load.acknowledged()
      await sleep(1_000)
      scene.expectReached(
        'the bridge acknowledged without Kafka',
        scene.load.acknowledged() === before,
      )
      await kafka.start()
      await scene.recovered(inOrder ? 'Kafka was restarted' : 'Kafka was killed')
    }
  },
}

const BUSY_SECONDS_MAX = 30

/** It is killed at a moment at which it has acknowledged what it has not applied. */
export const questdbKilled: Scenario = {
  number: 5,
  name: 'QuestDB killed while it applies',
  runs: { full: 6, quick: 1 },
  size: { messagesPerSecond: 300 },
  async run(scene, runs) {
    const { questdb } = scene.options.stage
    for (let i = 0; i < runs; i++) {
      const isBehind = await scene.until(BUSY_SECONDS_MAX, () => applying(scene))
      await killServer(questdb)
      scene.expectReached('QuestDB was never behind its log', isBehind)
      await sleep(1_000)
      await questdb.start()
      await scene.recovered('QuestDB was killed')
    }
  },
}

async function applying(scene: Scene): Promise<boolean> {
  const { questdbUrl, tablePrefix } = scene.config
  const rows = await questdbQuery(
    questdbUrl,
    `select writerTxn, sequencerTxn from wal_tables() where name in
     ('${tablePrefix}windows', '${tablePrefix}readings')`,
  )
  return rows.some(([writer, sequencer]) => writer !== sequencer)
}
