import type { OwnedPartition } from './log.ts'

/** Those of `before` that are not in `now`: what its owner has lost. */
export function missingIn(
  now: readonly OwnedPartition[],
  before: readonly OwnedPartition[],
): readonly OwnedPartition[] {
  return before.filter(
    (old) => !now.some((one) => one.topic === old.topic && one.partition === old.partition),
  )
}
