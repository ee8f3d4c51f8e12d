import type { Edit } from '../support/sabotage.ts'

/** A mistake made on purpose, and the check that has to find it. */
export interface Sabotage {
  readonly name: string
  readonly edits: readonly Edit[]
  /** A test file, and the beginning of the name of a test in it. */
  readonly check: { readonly file: string; readonly test: string }
  /** The check wants Kafka and QuestDB. */
  readonly needsServers?: true
}

const edit = (file: string, find: string, replace: string): readonly Edit[] => [
  { file, find, replace },
]

const LAW = { file: 'test/topologies/law.test.ts', test: 'rows are what the law says (seed 1' }
const WAYS = {
  file: 'test/topologies/ways.test.ts',
  test: 'the same log gives the same rows record by record',
}
const RUNTIME = 'test/engine/runtime.test.ts'

const BRIDGE: readonly Sabotage[] = [
  {
    name: 'acknowledge before produce',
    edits: edit(
      'src/bridge/appender.ts',
      '    this.waiting.push(append)\n',
      '    append.done()\n    this.waiting.push({ ...append, done: () => undefined })\n',
    ),
    check: { file: 'test/bridge/puback.test.ts', test: 'a PUBACK waits for Kafka' },
  },
  {
    name: 'dead letter dropped',
    edits: edit(
      'src/bridge/appender.ts',
      'for (const record of append.deadLetters) deadLetters.push(record)',
      '',
    ),
    check: {
      file: 'test/bridge/appender.test.ts',
      test: 'a message is done when all of its records are in both topics',
    },
  },
  {
    name: 'refused append acknowledged',
    edits: edit(
      'src/bridge/appender.ts',
      'for (const append of batch) append.done(error)',
      'for (const append of batch) append.done()',
    ),
    check: {
      file: 'test/bridge/puback.test.ts',
      test: 'where Kafka refuses there is no PUBACK: the connection is closed',
    },
  },
]

const ROWS: readonly Sabotage[] = [
  {
    name: 'wall clock in a row',
    edits: edit(
      'topologies/windows.ts',
      'expected: (p) => p.expected,',
      'expected: () => Date.now(),',
    ),
    check: WAYS,
  },
  {
    name: 'random identity of an anomaly',
    edits: edit(
      'topologies/anomalies.ts',
      'ts: ({ verdict }) => verdict.start,',
      'ts: ({ verdict }) => verdict.start + Math.floor(1e6 * Math.random()),',
    ),
    check: WAYS,
  },
  {
    name: 'watermark by partition instead of by meter',
    edits: edit(
      'src/engine/series.ts',
      'return newestAt.get(meter) - disorder.get(meter)',
      `let newest = -Infinity
    for (let m = 0; m <= meter; m++) newest = Math.max(newest, newestAt.get(m))
    return newest - disorder.get(meter)`,
    ),
    check: LAW,
  },
  {
    name: 'seq ignored',
    edits: edit('src/engine/sample.ts', 'if (seq !== knownSeq) return seq > knownSeq', ''),
    check: {
      file: 'test/engine/winners.test.ts',
      test: 'of two readings of one time the higher seq wins',
    },
  },
  {
    name: 'quality ignored',
    edits: edit('src/engine/sample.ts', 'if (quality !== known) return quality < known', ''),
    check: {
      file: 'test/engine/winners.test.ts',
      test: 'of two readings of one time and seq the better quality wins',
    },
  },
  {
    name: 'revision constant',
    edits: edit('topologies/windows.ts', 'revision: (p) => p.revision,', 'revision: () => 7,'),
    check: {
      file: 'test/engine/windows.test.ts',
      test: 'restatements wait for the next ten seconds of append time, and come as one',
    },
  },
  {
    name: 'restated verdict not retracted',
    edits: edit(
      'topologies/anomalies.ts',
      "(f.active ? 'active' : 'retracted')",
      "(f.active ? 'active' : 'active')",
    ),
    check: {
      file: 'test/topologies/anomalies.test.ts',
      test: 'a corrected window takes back its verdict, and the runs after it, straight',
    },
  },
  {
    name: 'restatement at once',
    edits: edit(
      'src/engine/task.ts',
      'if (Math.floor(appendMillis / COALESCE_MILLIS) > before) {',
      'if (before < Infinity) {',
    ),
    check: {
      file: 'test/engine/windows.test.ts',
      test: 'restatements wait for the next ten seconds of append time, and come as one',
    },
  },
]

const ORDER: readonly Sabotage[] = [
  {
    name: 'commit before flush',
    edits: edit(
      'src/engine/flusher.ts',
      '    const beganMs = scheduler.monotonicMillis()\n',
      `    for (const lane of lanes) lane.flushed = lane.unsent.upTo
    await this.commit(lanes)
    const beganMs = scheduler.monotonicMillis()\n`,
    ),
    check: {
      file: RUNTIME,
      test: 'memory: rows and records come out, and offsets are committed after them',
    },
  },
  {
    name: 'rows of records that a restore takes in are lost',
    edits: edit(
      'src/engine/restore.ts',
      '      task.emitting = true\n    }\n    // Where',
      '    }\n    // Where',
    ),
    check: {
      file: RUNTIME,
      test: 'memory: a process that is killed loses no row, and its successor changes none',
    },
  },
  {
    name: 'output without its own source position',
    edits: edit(
      'src/engine/runners/sinks.ts',
      'records.begin(epoch, partition, progress.offset, index)',
      'records.begin(epoch, partition, 0, 0)',
    ),
    check: {
      file: 'test/engine/source-position.test.ts',
      test: 'each output record says which record of the input it is made of',
    },
  },
  {
    name: 'a stale generation commits',
    edits: edit(
      'src/log/fenced-commit.ts',
      'if (request.generation !== fence.generation) throw stale(fence, request, cause)',
      '',
    ),
    check: {
      file: 'test/log/kafka.test.ts',
      test: 'of an older generation are refused, and change nothing',
    },
    needsServers: true,
  },
]

const SNAPSHOTS: readonly Sabotage[] = [
  {
    name: 'a snapshot holds what was written after it was taken',
    edits: edit(
      'src/engine/state/pages.ts',
      'this.pages[index] = this.pages[index]!.slice()',
      'this.pages[index] = this.pages[index]!',
    ),
    check: {
      file: 'test/engine/state/pages.test.ts',
      test: 'what is frozen is kept as it was, whatever is written meanwhile',
    },
  },
  {
    name: 'a task that resumes appends all again',
    edits: edit(
      'src/engine/resume.ts',
      'return last !== undefined && !isPast(position, last)',
      'return last !== undefined && position === last',
    ),
    check: {
      file: 'test/engine/resume.test.ts',
      test: 'a task that resumes appends only what is past the end of its output',
    },
  },
]

const TABLES: readonly Sabotage[] = [
  {
    name: 'no dedup key in a table',
    edits: edit(
      'src/sinks/tables.ts',
      ".replaceAll('{prefix}', prefix))",
      ".replaceAll('{prefix}', prefix).replace(', channel, width)', ', channel)'))",
    ),
    check: {
      file: 'test/sinks/tables.test.ts',
      test: 'four processes that start at once make every table, once',
    },
    needsServers: true,
  },
  {
    name: 'a row of a batch that is sent again is another row',
    edits: edit(
      'src/sinks/ilp-encoder.ts',
      'this.whole(times[row]!, this.spec.columns[0]!.name)',
      'this.whole(times[row]! + ++passes, this.spec.columns[0]!.name)',
    ).concat(
      edit(
        'src/sinks/ilp-encoder.ts',
        'export class IlpEncoder {',
        'let passes = 0\nexport class IlpEncoder {',
      ),
    ),
    check: { file: 'test/sinks/questdb-retry.test.ts', test: 'every row is there once after: ' },
    needsServers: true,
  },
]

export const SABOTAGES: readonly Sabotage[] = [
  ...[...BRIDGE, ...ROWS, ...ORDER],
  ...[...SNAPSHOTS, ...TABLES],
]
