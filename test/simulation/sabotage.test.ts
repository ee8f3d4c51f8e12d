import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import test from 'node:test'
import { editedEnvironment } from '../support/sabotage.ts'
import type { Edit } from '../support/sabotage.ts'

const RUN = join(import.meta.dirname, 'run.ts')

/** Enough for each sabotage to be found by several of them. */
const SEEDS = 24

interface Sabotage {
  readonly edits: readonly Edit[]
  /** What the simulation says of it. */
  readonly says: RegExp
}

const flusher = 'src/engine/flusher.ts'
const ingest = 'src/engine/ingest.ts'
const BEGAN = '    const beganMs = scheduler.monotonicMillis()\n'
const COMMITTED = /is committed, but/
const LAW = /not what the law says/

const SABOTAGES: Readonly<Record<string, Sabotage>> = {
  'offsets are committed before the rows are out': {
    edits: [
      {
        file: flusher,
        find: BEGAN,
        replace:
          BEGAN +
          '    for (const lane of lanes) lane.flushed = lane.unsent!.upTo\n' +
          '    await this.commit(lanes)\n',
      },
    ],
    says: COMMITTED,
  },
  'what was computed meanwhile is committed with what was sent': {
    edits: [
      {
        file: flusher,
        find: 'lane.flushed = lane.unsent!.upTo',
        replace: 'lane.flushed = lane.processed',
      },
    ],
    says: COMMITTED,
  },
  'an append that fails is not tried again': {
    edits: [
      {
        file: 'src/engine/round.ts',
        find: 'if (!isRetryable(error)) throw error',
        replace: 'if (isRetryable(error)) break',
      },
    ],
    says: COMMITTED,
  },
  'what is replayed is emitted again': {
    edits: [
      {
        file: 'src/engine/restore.ts',
        find: 'task.emitting = false',
        replace: 'task.emitting = true',
      },
    ],
    says: /an older one comes/,
  },
  'state is not made anew from the log': {
    edits: [
      {
        file: 'src/engine/restore.ts',
        find: 'if (upTo > from) {',
        replace: 'if (upTo < from) {',
      },
    ],
    says: /is committed, but|should be|should never have come/,
  },
  'a repeat takes part again': {
    edits: [
      {
        file: ingest,
        find: 'const exists = index < count &&',
        replace: 'const exists = index < 0 &&',
      },
    ],
    says: LAW,
  },
  'a wall clock stands in a row': {
    edits: [
      {
        file: 'topologies/windows.ts',
        find: '  sum: (p) => p.sum,\n',
        replace: '  sum: (p) => p.sum + performance.now(),\n',
      },
    ],
    says: /should be|should never have come|not what the law says/,
  },
  'the watermark is the partition’s': {
    edits: [
      {
        file: ingest,
        find: 'const watermark = table.watermarkOf(meter)',
        replace:
          'const watermark = ((this as any).top = ' +
          'Math.max((this as any).top ?? -Infinity, table.watermarkOf(meter)))',
      },
    ],
    says: /an older one comes|not what the law says|should be/,
  },
  'a table is read further than the log has told': {
    edits: [
      {
        file: 'src/engine/tables/tables.ts',
        find: 'view.advance(records, offset, this',
        replace: 'view.advance(records, (records as any).offset, this',
      },
    ],
    says: /is committed, but|not what the law says|should be|should never have come/,
  },
  'a total adds what takes the place of something': {
    edits: [
      {
        file: 'src/engine/rekey/totals.ts',
        find: 'if (members.gave(member, width, start)) groups',
        replace: 'if (members.gave(member, width, NaN)) groups',
      },
    ],
    says: LAW,
  },
  'what was restated is not emitted': {
    edits: [{ file: ingest, find: 'this.restater.emitAll()', replace: 'void this.restater' }],
    says: LAW,
  },
}

for (const [name, { edits, says }] of Object.entries(SABOTAGES)) {
  test(`is found: ${name}`, () => {
    const env = { ...process.env, ...editedEnvironment(edits) }
    const args = [RUN, '--seeds', String(SEEDS), '--workers', '1', '--until-broken']
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' })
    assert.equal(status, 1, stderr)
    assert.ok(says.test(stdout), `${stdout}${stderr}`)
  })
}
