import { createHash } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Stamps say that a step was carried out whole, and from what: a hash of all that decides its
 * result. A step writes its stamp last, so that an interrupted one is done again.
 */

/** @param {readonly (string | Buffer)[]} parts */
export function stampOf(parts) {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(String(part.length)).update(':').update(part)
  return hash.digest('hex').slice(0, 32)
}

/** @param {string} file @param {string} stamp */
export function isStamped(file, stamp) {
  return readIfThere(file) === stamp
}

/** @param {string} file @param {string} stamp */
export function writeStamp(file, stamp) {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(`${file}.tmp`, stamp)
  renameSync(`${file}.tmp`, file)
}

/** @param {string} file */
export function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

const LOCK_POLL_MS = 300

/**
 * Runs `work` while no other set-up of this checkout runs. The lock names its owner's process, so
 * that one left behind by a killed set-up is taken over.
 *
 * @template T
 * @param {string} file
 * @param {(pid: number) => void} onWait Told once, with the process that is waited for.
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(file, onWait, work) {
  mkdirSync(dirname(file), { recursive: true })
  let told = false
  while (!take(file)) {
    const owner = Number(readIfThere(file))
    if (!isAlive(owner)) breakLock(file, owner)
    else if (!told) {
      told = true
      onWait(owner)
    }
    await sleep(LOCK_POLL_MS)
  }
  try {
    return await work()
  } finally {
    rmSync(file, { force: true })
  }
}

/** @param {string} file */
function take(file) {
  // A link appears with its content, so that nobody ever reads a lock without an owner.
  const mine = `${file}.${process.pid}`
  writeFileSync(mine, String(process.pid))
  try {
    linkSync(mine, file)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(mine, { force: true })
  }
}

/**
 * Takes a dead owner's lock away. Another waiter may have done so and hold a new one by now: that
 * one is put back.
 *
 * @type {(file: string, deadOwner: number) => void}
 */
function breakLock(file, deadOwner) {
  const aside = `${file}.${process.pid}.broken`
  try {
    renameSync(file, aside)
    if (Number(readIfThere(aside)) !== deadOwner) linkSync(aside, file)
  } catch {
    // It is gone, or a third one holds it: the next look will tell.
  } finally {
    rmSync(aside, { force: true })
  }
}

/** @param {number} pid */
export function isAlive(pid) {
  if (!(pid > 0)) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
