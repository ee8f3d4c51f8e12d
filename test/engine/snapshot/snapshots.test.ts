import assert from 'node:assert/strict'
import test from 'node:test'
import { crc32 } from 'node:zlib'
import { hasCode } from '../../../src/kernel/errors.ts'
import { seconds } from '../../../src/kernel/time.ts'
import { fuse } from '../../../src/engine/dsl.ts'
import type { Pipeline } from '../../../src/engine/pipeline.ts'
import type { Task } from '../../../src/engine/task.ts'
import type { RecordBatch } from '../../../src/log/log.ts'
import { pipeline } from '../../../topologies/index.ts'
import { windows } from '../../../topologies/windows.ts'
import { random } from '../../support/random.ts'
import { roughFleet } from '../../support/rough-fleet.ts'
import { StateStage, assertSame } from '../../support/state-stage.ts'

const READINGS = 3_000

async function stageOf(seed: number) {
  const stage = new StateStage()
  const sent = roughFleet({ seed, meters: 6, minutes: 900, beyondHorizon: true })
  for (const { reading } of sent.slice(0, READINGS)) {
    stage.append([reading])
    stage.clock.micros += seconds(1)
  }
  const batches = await stage.batches()
  const end = batches.at(-1)!.nextOffset
  return { stage, batches, end }
}

function advance(task: unknown, batches: readonly RecordBatch[], to: number): void {
  for (const batch of batches) {
    const count = Math.min(batch.count, to - batch.offsets[0]!)
    if (count > 0) (task as Task).process(batch, 0, count)
  }
}

for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(`what is restored goes on as what it was taken of (seed ${seed})`, async () => {
    const { stage, batches, end } = await stageOf(seed)
    const next = random(seed)
    const lane = stage.lane(stage.fresh())
    const goOn = (records: number) => {
      const to = Math.min(end, lane.task.nextOffset + Math.floor(next() * records))
      advance(lane.task, batches, to)
    }
    // The task takes records in while its pages are on their way.
    stage.meanwhile = () => goOn(60)
    for (let round = 0; round < 12; round++) {
      goOn(400)
      await stage.snapshot(lane)
      goOn(40)
      const restored = await stage.restore(lane)
      assert.ok(restored.replayedFrom > 0, 'it begins where the snapshot ends')
      assert.deepEqual(stage.warnings, [])
      await stage.emitted(lane)
      const to = Math.min(end, lane.task.nextOffset + 200)
      advance(lane.task, batches, to)
      advance(restored.task, batches, to)
      assertSame(await stage.emitted(restored), await stage.emitted(lane))
    }
    advance(lane.task, batches, end)
    const last = await stage.restore(lane)
    assert.equal(last.task.stateBytes > 0, true)
  })
}

test('while a process takes its last snapshots, none is begun beside them', async () => {
  const { stage, batches } = await stageOf(8)
  const lane = stage.lane(stage.fresh())
  advance(lane.task, batches, 400)
  const snapshots = await stage.snapshots(lane)
  const offsets = new Set<string>()
  stage.tamper = (value, key) => {
    offsets.add(key.split('/')[2]!)
    return value
  }
  // A batch that was under way when the process was told to stop.
  stage.meanwhile = () => {
    advance(lane.task, batches, 450)
    snapshots.consider()
  }
  await snapshots.last(60_000)
  assert.deepEqual([...offsets], ['400'])
})

test('a base and its deltas are freed once two newer generations are named', async () => {
  const { stage, batches, end } = await stageOf(7)
  const lane = stage.lane(stage.fresh())
  const begins = new Set<number>()
  for (let to = 0; to < end; to += 100) {
    advance(lane.task, batches, to)
    await stage.snapshot(lane)
    const pointers = lane.history.pointers(lane.task.nextOffset)
    for (const { begin } of pointers) begins.add(begin)
    const below = lane.history.named(pointers)
    if (below !== undefined) await stage.log.deleteRecords(stage.topics.state, 0, below)
    assert.ok(pointers.length <= 4)
    assert.equal(new Set(pointers.map(({ begin }) => begin)).size <= 2, true)
  }
  assert.ok(begins.size > 3, 'deltas have outgrown their base several times')
  const [begin] = await stage.log.beginOffsets(stage.topics.state)
  assert.ok(begin! > 0)
  assert.ok((await stage.restore(lane)).replayedFrom > 0)
  assert.deepEqual(stage.warnings, [])
})

test('a snapshot is named by no commit below its offset', async () => {
  const { stage, batches } = await stageOf(8)
  const lane = stage.lane(stage.fresh())
  advance(lane.task, batches, 500)
  await stage.snapshot(lane)
  assert.deepEqual(lane.history.pointers(499), [])
  assert.equal(lane.history.pointers(500).length, 1)
})

const DAMAGES = {
  'a chunk with another byte': (value: Buffer) => {
    const changed = Buffer.from(value)
    changed[changed.length - 9]! ^= 1
    return changed
  },
  'a chunk that is gone': () => undefined,
  'half of a manifest': (value: Buffer) => value.subarray(0, value.length / 2),
  'a manifest of a format that is not known': (value: Buffer) => {
    const text = value.toString('latin1', 8).replace('"format":2', '"format":9')
    return encodeAgain(text)
  },
}

function encodeAgain(text: string): Buffer {
  const body = Buffer.from(text, 'latin1')
  const head = Buffer.from('MLM1\0\0\0\0', 'latin1')
  head.writeUInt32LE(crc32(body), 4)
  return Buffer.concat([head, body])
}

for (const [name, damage] of Object.entries(DAMAGES)) {
  test(`after ${name} the snapshot before is taken`, async () => {
    const { stage, batches } = await stageOf(9)
    const lane = stage.lane(stage.fresh())
    advance(lane.task, batches, 1_000)
    await stage.snapshot(lane)
    advance(lane.task, batches, 1_200)
    const isManifest = name.includes('manifest')
    stage.tamper = (value, key) => (key.endsWith('manifest') === isManifest ? damage(value) : value)
    await stage.snapshot(lane)
    advance(lane.task, batches, 1_300)
    const restored = await stage.restore(lane)
    assert.equal(restored.replayedFrom, 1_000)
    assert.equal(stage.warnings.length, 1)
    await stage.emitted(lane)
    advance(lane.task, batches, 2_000)
    advance(restored.task, batches, 2_000)
    assertSame(await stage.emitted(restored), await stage.emitted(lane))
  })
}

test('where no snapshot is whole, the retained log is computed again', async () => {
  const { stage, batches } = await stageOf(10)
  const lane = stage.lane(stage.fresh())
  advance(lane.task, batches, 800)
  stage.tamper = (value, key) => (key.endsWith('manifest') ? Buffer.alloc(12) : value)
  await stage.snapshot(lane)
  const restored = await stage.restore(lane)
  assert.equal(restored.replayedFrom, 0)
  assert.match(stage.warnings.at(-1)!, /no snapshot is whole/)
})

test('what a stale owner writes between is passed over', async () => {
  const { stage, batches } = await stageOf(11)
  const lane = stage.lane(stage.fresh())
  const stale = stage.lane(stage.fresh())
  advance(stale.task, batches, 300)
  advance(lane.task, batches, 1_000)
  let isWriting = false
  stage.meanwhile = () => {
    if (isWriting) return
    isWriting = true
    // Its records come before, between and after ours.
    void stage.snapshot(stale, 'stale').finally(() => (isWriting = false))
  }
  await stage.snapshot(lane)
  advance(lane.task, batches, 1_200)
  await stage.snapshot(lane)
  const restored = await stage.restore(lane)
  assert.deepEqual([restored.replayedFrom, stage.warnings], [1_200, []])
})

test('a snapshot that cannot be written is given up, and the next one has all', async () => {
  const { stage, batches } = await stageOf(12)
  const lane = stage.lane(stage.fresh())
  advance(lane.task, batches, 700)
  await stage.snapshot(lane)
  advance(lane.task, batches, 900)
  stage.meanwhile = () => {
    throw new Error('the log is away')
  }
  await stage.snapshot(lane)
  assert.equal(lane.history.offset, 700)
  stage.meanwhile = () => undefined
  await stage.snapshot(lane)
  const restored = await stage.restore(lane)
  assert.equal(restored.replayedFrom, 900)
  await stage.emitted(lane)
  advance(lane.task, batches, 2_000)
  advance(restored.task, batches, 2_000)
  assertSame(await stage.emitted(restored), await stage.emitted(lane))
})

/** The product's pipeline with one node declared otherwise, as an older release might have. */
function older(id: string): Pipeline {
  const nodes = pipeline.nodes.map((node) =>
    node.id === id ? { ...node, declaration: `older ${node.declaration}` } : node,
  )
  const fingerprint = new Map(pipeline.fingerprint).set(id, 'another')
  return { ...pipeline, nodes, fingerprint }
}

test('a changed topology says what changed and what to do; the rest keeps its state', async () => {
  const { stage, batches } = await stageOf(13)
  const lane = stage.lane(stage.fresh())
  advance(lane.task, batches, 1_000)
  await stage.snapshot(lane, 'here', older('rolling-baseline/baseline'))
  await assert.rejects(stage.restore(lane), (error: Error) => {
    assert.ok(hasCode(error, 'engine.topologyChanged'))
    assert.match(error.message, /rolling-baseline\/baseline was 'older .*' and is '/)
    assert.match(error.message, /DROP_STATE=rolling-baseline\/baseline .*BACKFILL=true/s)
    assert.match(error.message, /meterloom processor --drop-state NODE.*--backfill/s)
    return true
  })
  const dropped = new Set(['rolling-baseline/baseline'])
  const restored = await stage.restore(lane, { dropped })
  assert.equal(restored.replayedFrom, 1_000)
  assert.equal(restored.task.table.seriesCount, lane.task.table.seriesCount)
  const backfilled = await stage.restore(lane, { backfill: true })
  assert.equal(backfilled.replayedFrom, 0)
})

test('new nodes begin without a past, and nodes that are gone are told', async () => {
  const { stage, batches } = await stageOf(14)
  const fewer = fuse('fewer', [windows])
  const lane = stage.lane(stage.fresh(fewer))
  advance(lane.task, batches, 1_000)
  await stage.snapshot(lane, 'here', fewer)
  const restored = await stage.restore(lane)
  assert.equal(restored.replayedFrom, 1_000)
  advance(restored.task, batches, 2_000)

  const whole = stage.lane(restored)
  await stage.snapshot(whole)
  await assert.rejects(stage.restore(whole, { pipeline: fewer }), /rolling-baseline.* is no more/)
})
