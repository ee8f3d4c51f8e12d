import assert from 'node:assert/strict'
import { test } from 'node:test'
import kafkajs from 'kafkajs'
import { meterloomAssigner } from '../../src/log/kafkajs-assigner.ts'

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol

type Cluster = Parameters<typeof meterloomAssigner>[0]['cluster']

/** Who gets what of topics with these counts of partitions. */
async function shares(counts: Readonly<Record<string, number>>, members: readonly string[]) {
  const findTopicPartitionMetadata = (topic: string) =>
    Array.from({ length: counts[topic]! }, (_, partitionId) => ({ partitionId }))
  const cluster = { findTopicPartitionMetadata } as unknown as Cluster
  const assigner = meterloomAssigner({ cluster, groupId: 'g', logger: undefined as never })
  const topics = Object.keys(counts)
  const { metadata } = assigner.protocol({ topics })
  assert.deepEqual(MemberMetadata.decode(metadata)?.topics, topics)
  const answer = await assigner.assign({
    topics,
    members: members.map((memberId) => ({ memberId, memberMetadata: metadata })),
  })
  return Object.fromEntries(
    answer.map(({ memberId, memberAssignment }) => [
      memberId,
      { ...MemberAssignment.decode(memberAssignment)?.assignment },
    ]),
  )
}

test('partitions go round the members in the order of their ids', async () => {
  assert.deepEqual(await shares({ t: 5 }, ['b', 'a']), { a: { t: [0, 2, 4] }, b: { t: [1, 3] } })
})

test('partitions of one number have one owner, whatever their topics', async () => {
  assert.deepEqual(await shares({ t: 3, u: 3 }, ['a', 'b']), {
    a: { t: [0, 2], u: [0, 2] },
    b: { t: [1], u: [1] },
  })
})

test('a member for whom nothing is left gets nothing', async () => {
  assert.deepEqual(await shares({ t: 1 }, ['a', 'b']), { a: { t: [0] }, b: {} })
})
