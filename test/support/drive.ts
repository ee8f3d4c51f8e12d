import { Driver } from '../../src/engine/driver.ts'
import type { DriverOptions, Row } from '../../src/engine/driver.ts'
import type { Registry } from '../../src/registry/registry.ts'
import { loadCodecs } from '../../src/schemas/codecs.ts'
import type { Reading } from '../../src/schemas/records.ts'
import { pipeline } from '../../topologies/index.ts'
import { testRegistry } from './registry.ts'

const codecs = await loadCodecs()

/** The product's own pipeline on the memory log. */
export function drive(options: Partial<DriverOptions> = {}): Driver {
  return new Driver({ pipeline, registry: testRegistry(), codecs, ...options })
}

/** What happens to a log, in its order: readings that come, or append time that goes on. */
export type Happening = readonly Reading[] | { readonly appendMicros: number }

/** The ways in which the same log is computed; what comes out must not tell them apart. */
export interface Way {
  readonly name: string
  readonly partitions: number
  readonly batchRecords: number
  /** Kills and restores the tasks after so many happenings; 0: never. */
  readonly crashEvery: number
}

export const STRAIGHT: Way = { name: 'straight', partitions: 1, batchRecords: 500, crashEvery: 0 }
export const WAYS: readonly Way[] = [
  STRAIGHT,
  { name: 'through crashes', partitions: 1, batchRecords: 500, crashEvery: 1 },
  { name: 'record by record', partitions: 1, batchRecords: 1, crashEvery: 0 },
  { name: 'in 5 partitions, through crashes', partitions: 5, batchRecords: 7, crashEvery: 2 },
]

export async function driveAlong(
  happenings: readonly Happening[],
  way: Way = STRAIGHT,
  registry: Registry = testRegistry(),
): Promise<Driver> {
  const { partitions, batchRecords, crashEvery } = way
  const driver = drive({ registry, partitions, batchRecords })
  for (const [i, happening] of happenings.entries()) {
    if ('appendMicros' in happening) driver.advanceAppendTime(happening.appendMicros)
    else driver.append(happening)
    await driver.run()
    if (crashEvery > 0 && i % crashEvery === 0) await driver.crashAndRestore()
  }
  return driver
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
