import { closeSync, fstatSync, mkdirSync, openSync, readSync, renameSync } from 'node:fs'
import { dirname } from 'node:path'

/** A child's output, in a file: the one of the run before is kept beside it as `.1`. */

/** Sets the earlier run's log aside. */
export function rotateLog(file: string): void {
  mkdirSync(dirname(file), { recursive: true })
  try {
    renameSync(file, `${file}.1`)
  } catch {
    // There was none.
  }
}

/** A descriptor to append by, for a child's stdout and stderr. The caller closes its own copy. */
export function openLog(file: string): number {
  mkdirSync(dirname(file), { recursive: true })
  return openSync(file, 'a')
}

const TAIL_BYTES = 8_192

/** The last lines of a log, at most `count`; none where there is no file. */
export function lastLines(file: string, count: number): readonly string[] {
  let fd: number
  try {
    fd = openSync(file, 'r')
  } catch {
    return []
  }
  try {
    const { size } = fstatSync(fd)
    const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES))
    readSync(fd, bytes, 0, bytes.length, size - bytes.length)
    const lines = bytes.toString('utf8').split('\n')
    // The first is cut where the file is longer than what was read.
    if (size > TAIL_BYTES) lines.shift()
    return lines.filter((line) => line.trim() !== '').slice(-count)
  } finally {
    closeSync(fd)
  }
}
