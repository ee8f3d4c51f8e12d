import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface SmallDisk {
  readonly folder: string
  remove(): void
}

/** QuestDB lays out 16 MB a column at once: with less it has no room even when all is freed. */
const MEGABYTES = 2_000

/** A disk that can be filled up: a tmpfs. Undefined where this user may mount none. */
export function smallDisk(): SmallDisk | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'meterloom-disk-'))
  try {
    const options = ['-t', 'tmpfs', '-o', `size=${MEGABYTES}m`, 'tmpfs', folder]
    execFileSync('mount', options, { stdio: 'ignore' })
  } catch {
    rmdirSync(folder)
    return undefined
  }
  let isThere = true
  const remove = () => {
    if (!isThere) return
    isThere = false
    execFileSync('umount', ['-l', folder])
    rmdirSync(folder)
  }
  // A run that is broken off leaves no disk behind.
  process.once('exit', remove)
  return { folder, remove }
}
