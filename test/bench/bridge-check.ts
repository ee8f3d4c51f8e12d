import type { Log } from '../../src/log/log.ts'

export interface Arrived {
  /** Of the run's readings, how many are in the log at least once. */
  readonly distinct: number
  readonly repeats: number
  readonly lost: number
}

/**
 * Counts a run's readings in a topic.
 *
 * @param indexOf Which reading a record is; undefined where it is none of this run.
 */
export async function countArrived(
  log: Log,
  topic: string,
  options: {
    readonly from: readonly number[]
    readonly readings: number
    readonly indexOf: (key: string, value: Buffer) => number | undefined
  },
): Promise<Arrived> {
  const seen = new Uint8Array(options.readings)
  let distinct = 0
  let records = 0
  for (const [partition, from] of options.from.entries()) {
    for await (const batch of log.read({ topic, partition, from })) {
      for (let i = 0; i < batch.count; i += 1) {
        const keyStart = batch.keyStart[i]!
        if (keyStart < 0) continue
        const key = batch.bytes.toString('utf8', keyStart, batch.keyEnd[i])
        const value = batch.bytes.subarray(batch.valueStart[i], batch.valueEnd[i])
        const index = options.indexOf(key, value)
        if (index === undefined) continue
        records += 1
        if (seen[index] === 0) distinct += 1
        seen[index] = 1
      }
    }
  }
  return { distinct, repeats: records - distinct, lost: options.readings - distinct }
}
