import { statSync } from 'node:fs'
import { messageOf } from '../../kernel/errors.ts'
import { type Clock, type Micros, days } from '../../kernel/time.ts'
import { replayErrors } from './errors.ts'
import { newCounts } from './rows.ts'
import { type FileForm, FileSource } from './source.ts'
import type { Zone } from './zone.ts'

export const WEEK = days(7)

/** Bytes on the disk. @throws replay.unreadable */
export function sizeOf(file: string): number {
  try {
    return statSync(file).size
  } catch (error) {
    throw replayErrors.unreadable({ file, detail: messageOf(error) }, error)
  }
}

/**
 * Reads all files once, for their last reading.
 *
 * @param onRead Bytes and readings so far.
 * @returns Whole weeks, by which the last reading comes to lie less than one before now.
 * @throws replay.nothingToRead
 */
export async function shiftUntilNow(
  forms: readonly FileForm[],
  zone: Zone,
  options: {
    clock: Clock
    signal: AbortSignal
    onRead: (bytes: number, readings: number) => void
  },
): Promise<Micros> {
  const counts = newCounts()
  let newest = -Infinity
  let bytesBefore = 0
  for (const form of forms) {
    const source = new FileSource(form, { zone, counts, onRefused: () => undefined })
    for (;;) {
      const readings = options.signal.aborted ? undefined : await source.next()
      if (readings === undefined) break
      for (const { at } of readings) newest = Math.max(newest, at)
      const bytes = bytesBefore + source.bytesRead
      options.onRead(bytes, counts.readings)
    }
    source.close()
    bytesBefore += sizeOf(form.file)
  }
  if (newest === -Infinity) {
    if (options.signal.aborted) return 0
    throw replayErrors.nothingToRead({ files: forms.length })
  }
  return Math.floor((options.clock.nowMicros() - newest) / WEEK) * WEEK
}
