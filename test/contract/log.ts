import { describe, test } from 'node:test'
import { appends, extremes } from './log-appends.ts'
import { commits, groups } from './log-groups.ts'
import { members } from './log-members.ts'
import { reads, topics } from './log-reads.ts'
import type { Features } from './log-support.ts'
import { tails } from './log-tails.ts'

const CONTRACT = {
  appends,
  'large and wrong appends': extremes,
  reads,
  tails,
  topics,
  members,
  commits,
  groups,
}

/** Tests what every adapter of `src/log/log.ts` promises. */
export function logContract(features: Features): void {
  for (const [part, contract] of Object.entries(CONTRACT)) {
    // Most of their time they wait.
    describe(`${features.name}: ${part}`, { concurrency: 4 }, () => {
      for (const [name, run] of Object.entries(contract)) test(name, (t) => run(t, features))
    })
  }
}
