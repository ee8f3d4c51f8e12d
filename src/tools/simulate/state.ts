import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { messageOf } from '../../kernel/errors.ts'
import { simulateErrors } from './errors.ts'

/**
 * How far a simulated fleet has come, so that its next run goes on from there. A file, replaced
 * whole: a kill leaves the old one or the new one.
 */
export interface FleetState {
  /** What the fleet is; another fleet begins anew. */
  readonly fleet: string
  /** Everything that is published before this second was acknowledged. */
  readonly publishedUntil: number
}

/** @throws simulate.badState */
export function readState(path: string): FleetState | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw simulateErrors.badState({ path, detail: messageOf(error) }, error)
  }
  try {
    const { fleet, publishedUntil } = JSON.parse(text) as Record<string, unknown>
    if (typeof fleet === 'string' && Number.isSafeInteger(publishedUntil)) {
      return { fleet, publishedUntil: publishedUntil as number }
    }
  } catch (error) {
    throw simulateErrors.badState({ path, detail: messageOf(error) }, error)
  }
  throw simulateErrors.badState({ path, detail: 'fleet or publishedUntil is missing' })
}

export function writeState(path: string, state: FleetState): void {
  mkdirSync(dirname(path), { recursive: true })
  const next = `${path}.new`
  writeFileSync(next, `${JSON.stringify(state)}\n`)
  renameSync(next, path)
}
