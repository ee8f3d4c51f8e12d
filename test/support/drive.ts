import { Driver } from '../../src/engine/driver.ts'
import type { DriverOptions } from '../../src/engine/driver.ts'
import type { Pipeline } from '../../src/engine/dsl.ts'
import type { Row } from '../../src/engine/memory-tables.ts'
import type { Registry } from '../../src/registry/registry.ts'
import { loadCodecs } from '../../src/schemas/codecs.ts'
import type { Reading } from '../../src/schemas/records.ts'
import { pipeline } from '../../topologies/index.ts'
import { random } from './random.ts'
import { testRegistry } from './registry.ts'

const codecs = await loadCodecs()

/** The product's own pipeline on the memory log. */
export function drive(options: Partial<DriverOptions> = {}): Driver {
  return new Driver({ pipeline, registry: testRegistry(), codecs, ...options })
}

/**
 * What happens to a log, in its order: readings that come, or append time that goes on, `times`
 * over, with a tick each time.
 */
export type Happening =
  readonly Reading[] | { readonly appendMicros: number; readonly times?: number }

/** The ways in which the same log is computed; what comes out must not tell them apart. */
export interface Way {
  readonly name: string
  readonly partitions: number
  /** Records of a batch; 'shuffled': of another size each time. */
  readonly batchRecords: number | 'shuffled'
  /** Kills and restores the tasks after so many happenings; 0: never. */
  readonly crashEvery: number
  /** Where the kill comes: when all is done, or after a few steps, in the middle of things. */
  readonly crashAt?: 'rest' | 'anywhere'
  readonly members?: number
  /** Records after which a snapshot is due; 0: state is computed from the log alone. */
  readonly snapshotEvery?: number
}

export const STRAIGHT: Way = { name: 'straight', partitions: 1, batchRecords: 500, crashEvery: 0 }
export const WAYS: readonly Way[] = [
  STRAIGHT,
  { name: 'through crashes', partitions: 1, batchRecords: 500, crashEvery: 1 },
  { name: 'record by record', partitions: 1, batchRecords: 1, crashEvery: 0 },
  { name: 'in 5 partitions, through crashes', partitions: 5, batchRecords: 7, crashEvery: 2 },
  {
    name: 'in 3 processes that are killed in the middle of things',
    ...{ partitions: 8, batchRecords: 'shuffled', crashEvery: 1, crashAt: 'anywhere', members: 3 },
  },
  {
    name: 'through crashes, with a snapshot of every few records',
    ...{ partitions: 1, batchRecords: 'shuffled', crashEvery: 1, snapshotEvery: 20 },
  },
  {
    name: 'in 2 processes that are killed in the middle of things, with snapshots',
    ...{ partitions: 3, batchRecords: 'shuffled', crashEvery: 1, crashAt: 'anywhere' },
    ...{ members: 2, snapshotEvery: 10 },
  },
  {
    name: 'in one process that is killed in the middle of things',
    ...{ partitions: 1, batchRecords: 'shuffled', crashEvery: 1, crashAt: 'anywhere' },
  },
]

export async function driveAlong(
  happenings: readonly Happening[],
  way: Way = STRAIGHT,
  registry: Registry = testRegistry(),
  driven: Pipeline = pipeline,
): Promise<Driver> {
  const { partitions, crashEvery, crashAt = 'rest', members = 1, snapshotEvery = 0 } = way
  const next = random(7)
  const shuffled = () => 1 + Math.floor(next() * 40)
  const batchRecords = way.batchRecords === 'shuffled' ? shuffled : way.batchRecords
  const driver = drive({
    ...{ registry, partitions, batchRecords, members, snapshotEvery, pipeline: driven },
  })
  for (const [i, happening] of happenings.entries()) {
    happen(driver, happening)
    const crashes = crashEvery > 0 && i % crashEvery === 0
    if (crashes && crashAt === 'anywhere') {
      await driver.runSteps(Math.floor(next() * 60))
      await driver.crashAndRestore()
    }
    await driver.run()
    if (crashes && crashAt === 'rest') await driver.crashAndRestore()
  }
  return driver
}

function happen(driver: Driver, happening: Happening): void {
  if (!('appendMicros' in happening)) {
    driver.append(happening)
    return
  }
  const { appendMicros, times = 1 } = happening
  for (let i = 0; i < times; i++) driver.advanceAppendTime(appendMicros)
}

/** Rows in an order of their own, so that two computations can be compared. */
export function sorted(rows: readonly Row[], leaveOut: readonly string[] = []): readonly string[] {
  return rows
    .map((row) => {
      const kept = Object.entries(row).filter(([name]) => !leaveOut.includes(name))
      return JSON.stringify(Object.fromEntries(kept))
    })
    .sort()
}
