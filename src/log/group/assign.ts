import type { MemberSubscription, Share } from './wire.ts'

/** The name that all members must give; an assigner that decides otherwise gets another. */
export const PROTOCOL = 'meterloom-sticky-1'

/**
 * Who owns what: partitions of one number, whatever their topics, have one owner; each member gets
 * as many numbers as the others, or one more; and who holds the state of a number keeps it as long
 * as that leaves it even. Members and numbers are taken in order, so that all leaders decide alike.
 */
export function assign(
  members: ReadonlyMap<string, MemberSubscription>,
  partitionCounts: ReadonlyMap<string, number>,
): ReadonlyMap<string, Share> {
  const ids = [...members.keys()].sort()
  const numbers = Math.max(0, ...partitionCounts.values())
  const owner = new Map<number, string>()
  const shares = new Map(ids.map((id): [string, number[]] => [id, []]))
  const least = Math.floor(numbers / ids.length)
  // So many members have one more than the least.
  let extra = numbers - least * ids.length
  for (const id of ids) {
    const share = shares.get(id)!
    for (const number of numbersOf(members.get(id)!.owned, partitionCounts)) {
      if (owner.has(number)) continue
      if (share.length === least && extra > 0) extra -= 1
      else if (share.length >= least) break
      share.push(number)
      owner.set(number, id)
    }
  }
  for (let number = 0; number < numbers; number++) {
    if (owner.has(number)) continue
    const id = ids.reduce((best, one) =>
      shares.get(one)!.length < shares.get(best)!.length ? one : best,
    )
    shares.get(id)!.push(number)
  }
  return new Map(
    [...shares].map(([id, share]) => [id, partitionsOf(share, partitionCounts)] as const),
  )
}

function numbersOf(owned: Share, counts: ReadonlyMap<string, number>): readonly number[] {
  const numbers = new Set<number>()
  for (const [topic, partitions] of owned) {
    for (const partition of partitions)
      if (partition < (counts.get(topic) ?? 0)) numbers.add(partition)
  }
  return [...numbers].sort((a, b) => a - b)
}

function partitionsOf(share: readonly number[], counts: ReadonlyMap<string, number>): Share {
  const sorted = share.toSorted((a, b) => a - b)
  const entries = [...counts].map(
    ([topic, count]) => [topic, sorted.filter((number) => number < count)] as const,
  )
  return new Map(entries.filter(([, partitions]) => partitions.length > 0))
}
