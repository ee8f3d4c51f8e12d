import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

const HOME = join(import.meta.dirname, 'peers/engines')
const TARGET = join(import.meta.dirname, '../../.meterloom/peer-engines')

/** What the peers' programs are told. */
export interface PeerSettings {
  readonly kafkaBrokers: string
  /** Of the topics that they make. */
  readonly partitions: number
}

/** Runs the peers' own entry point; answers its last line. */
export function runPeers(
  { kafkaBrokers, partitions }: PeerSettings,
  ...args: readonly string[]
): { ok: boolean; line: string } {
  mkdirSync(TARGET, { recursive: true })
  const env = { ...process.env, BOOTSTRAP: kafkaBrokers, TARGET, PARTITIONS: String(partitions) }
  const done = spawnSync(join(HOME, 'run'), args, { env, maxBuffer: 2 ** 26, encoding: 'utf8' })
  const line = done.stdout.trim().split('\n').at(-1) ?? ''
  if (done.status !== 0 && line === '') throw new Error(`run ${args.join(' ')}:\n${done.stderr}`)
  return { ok: done.status === 0, line }
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}
