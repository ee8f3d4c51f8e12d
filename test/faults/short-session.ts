import type { Edit } from '../support/sabotage.ts'

/** 15 s by default: a dead member's partitions would lie still for so long at each kill. */
export const SESSION_MS = 6_000

/** All times that hang on the session. */
export const SHORT_SESSION: readonly Edit[] = [
  {
    file: 'src/kernel/limits.ts',
    find: 'logSessionMs: 15_000',
    replace: `logSessionMs: ${SESSION_MS}`,
  },
  {
    file: 'src/kernel/engine-limits.ts',
    find: 'engineRewriteMs: 15_000 +',
    replace: `engineRewriteMs: ${SESSION_MS} +`,
  },
]
