import { setTimeout as sleep } from 'node:timers/promises'
import { loadRegistry } from '../../src/registry/files.ts'
import { decodePosition, isPast, type SourcePosition } from '../../src/log/position.ts'
import { SOURCE_HEADER } from '../../src/log/topics.ts'
import { loadCodecs } from '../../src/schemas/codecs.ts'
import type { AnomalyRecord as Anomaly } from '../../src/schemas/records.ts'
import { nameOfSha256, readLedger } from '../../src/tools/ledger.ts'
import { logRecords } from '../oracle/log-records.ts'
import { type OracleRecord, oracle } from '../oracle/oracle.ts'
import { compare, explain, type StoredRows, storedRows } from '../oracle/stored.ts'
import { settled } from '../support/pipeline.ts'
import { oracleRules } from '../support/registry.ts'
import { identities } from './load.ts'
import type { Scene } from './scene.ts'
import { compareTotals } from './totals.ts'

/** What one scene came to: see the oracles in `docs/faults.md`. */
export interface Figures {
  readonly acknowledged: number
  readonly rowsCompared: number
  readonly lost: number
  readonly missing: number
  readonly doubled: number
  readonly different: number
}

const STOP_SECONDS_MAX = 60
const SETTLE_SECONDS_MAX = 60
const RSS_MB_MAX = 1_000
const OPEN_FILES_MAX = 400
const SHOWN_MAX = 5

/** Ends the load, waits until all is in the tables, and asks every oracle. */
export async function judge(scene: Scene): Promise<Figures> {
  const stopped = scene.load.stop().then(() => true)
  if (!(await Promise.race([stopped, late(STOP_SECONDS_MAX)]))) {
    scene.fail(`O5 not all was acknowledged within ${STOP_SECONDS_MAX} s of the end`)
    return empty(scene)
  }
  await settled(scene.config, scene.log, SETTLE_SECONDS_MAX)
  const records = await logRecords(scene.log, scene.topics.readings)
  const lost = await accounted(scene, records)
  const expected = oracle(records, oracleRules(await loadRegistry(scene.config)))
  let doubled = 0
  let stored: StoredRows
  try {
    stored = await storedRows(scene.config.questdbUrl, scene.config.tablePrefix)
  } catch (error) {
    if (!/ twice$/.test(String(error))) throw error
    doubled++
    scene.fail(`O2 ${String(error)}`)
    return { ...empty(scene), lost, doubled }
  }
  const found = Object.entries(compare(expected, stored))
  const text = explain(compare(expected, stored)).split('\n')
  for (const line of text.slice(0, SHOWN_MAX)) if (line !== '') scene.fail(`O2 ${line}`)
  const totals = await compareTotals(scene)
  await sameVerdicts(scene, stored)
  resources(scene)
  const sum = (of: (name: string, d: (typeof found)[number][1]) => number) =>
    found.reduce((total, [name, differences]) => total + of(name, differences), 0)
  return {
    ...empty(scene),
    lost,
    doubled,
    rowsCompared: totals.compared + sum((_name, d) => d.compared),
    missing: totals.missing + sum((_name, d) => d.missing.length),
    different: totals.different + sum((_name, d) => d.different.length + d.extra.length),
  }
}

function late(seconds: number): Promise<false> {
  return sleep(1_000 * seconds, false as const, { ref: false })
}

function empty(scene: Scene): Figures {
  const acknowledged = scene.load.acknowledged()
  return { acknowledged, rowsCompared: 0, lost: 0, missing: 0, doubled: 0, different: 0 }
}

/**
 * O1: what was acknowledged is in the log or among the dead letters and not in both, and the log
 * holds nothing that was not sent. What the log holds is in the tables: O2 asks that.
 */
async function accounted(scene: Scene, records: readonly OracleRecord[]): Promise<number> {
  const logged = new Set<string>()
  for (const { reading } of records) {
    if (reading === null) continue
    const channels = reading.measurements.map(({ channel }) => channel)
    for (const id of identities({ ...reading, channels })) logged.add(id)
  }
  const letters = await deadLetters(scene)
  let lost = 0
  const lose = (text: string) => {
    if (lost++ < SHOWN_MAX) scene.fail(`O1 ${text}`)
  }
  for await (const { reading, payload } of readLedger(scene.load.ledgerFile)) {
    const ids = reading === undefined ? [] : identities(reading)
    const isLetter = payload !== undefined && letters.has(payload)
    const isLogged = ids.length > 0 && ids.every((id) => logged.has(id))
    if (!isLetter && !isLogged) lose(`acknowledged and nowhere: ${ids[0] ?? payload ?? ''}`)
    if (isLetter && ids.some((id) => logged.has(id))) lose(`a dead letter and logged: ${ids[0]!}`)
  }
  const unsent = [...logged].filter((id) => !scene.load.sent.has(id))
  if (unsent.length > 0) scene.fail(`O1 ${unsent.length} logged and never sent: ${unsent[0]!}`)
  return lost
}

async function deadLetters(scene: Scene): Promise<ReadonlySet<string>> {
  const codecs = await loadCodecs()
  const topic = scene.topics.deadLetters
  const found = new Set<string>()
  for (const [partition, to] of (await scene.log.endOffsets(topic)).entries()) {
    for await (const batch of scene.log.read({ topic, partition, from: 0, to })) {
      for (let i = 0; i < batch.count; i++) {
        const value = Buffer.from(batch.bytes.subarray(batch.valueStart[i], batch.valueEnd[i]))
        found.add(nameOfSha256(codecs['dead-letter'].decode(value).sha256))
      }
    }
  }
  return found
}

/** O3: a reader of the anomalies' topic ends with the very identities that the table holds. */
async function sameVerdicts(scene: Scene, stored: StoredRows): Promise<void> {
  const told = await anomaliesAsRead(scene)
  const kept = new Map([...stored.anomalies].map(([id, row]) => [id, String(row['state'])]))
  const wrong = [...new Set([...told.keys(), ...kept.keys()])].filter(
    (id) => told.get(id) !== kept.get(id),
  )
  for (const id of wrong.slice(0, SHOWN_MAX)) {
    scene.fail(`O3 ${id}: topic ${told.get(id) ?? 'nothing'}, table ${kept.get(id) ?? 'nothing'}`)
  }
}

/** The state of each identity, as a reader knows it that drops what it has seen already. */
async function anomaliesAsRead(scene: Scene): Promise<ReadonlyMap<string, string>> {
  const codecs = await loadCodecs()
  const topic = scene.topics.anomalies
  const states = new Map<string, string>()
  for (const [partition, to] of (await scene.log.endOffsets(topic)).entries()) {
    const seen = new Map<number, SourcePosition>()
    for await (const batch of scene.log.read({ topic, partition, from: 0, to })) {
      for (let i = 0; i < batch.count; i++) {
        const position = decodePosition(batch.header(i, SOURCE_HEADER) ?? Buffer.alloc(0))
        if (position === undefined) {
          scene.fail('O3 a record of anomalies has no source position')
          continue
        }
        const last = seen.get(position.partition)
        if (last !== undefined && !isPast(position, last)) continue
        seen.set(position.partition, position)
        const value = Buffer.from(batch.bytes.subarray(batch.valueStart[i], batch.valueEnd[i]))
        const anomaly: Anomaly = codecs.anomaly.decode(value)
        const { tenant, meterId, channel, start, width, kind, state } = anomaly
        states.set([tenant, meterId, channel, start, width, kind].join('|'), state)
      }
    }
  }
  return states
}

/** O6: memory and open files stay bounded, and nobody ended without being asked. */
function resources(scene: Scene): void {
  for (const kept of scene.all) {
    if (kept.rssMbMax > RSS_MB_MAX) {
      scene.fail(`O6 ${kept.name} took ${Math.round(kept.rssMbMax)} MB`)
    }
    const files = kept.openFiles()
    if (files > OPEN_FILES_MAX) scene.fail(`O6 ${kept.name} has ${files} files open`)
    for (const text of kept.unasked) scene.fail(`O6 ${text}`)
    if (kept.output().includes('nhandled')) scene.fail(`O6 ${kept.name}: an unhandled rejection`)
  }
}
