import kafkajs from 'kafkajs'
import type { PartitionAssigner } from 'kafkajs'

const { AssignerProtocol } = kafkajs

/** Partitions by topic. */
type Share = Record<string, number[]>

/**
 * Who owns what in a group: the partitions of each topic go round the members in the order of their
 * ids, so that partitions of one number, whatever their topics, have one owner. All members must
 * name the same protocol; an assigner that decides otherwise gets a name of its own.
 */
export const meterloomAssigner: PartitionAssigner = ({ cluster }) => ({
  name: 'meterloom-by-number',
  version: 0,

  assign({ members, topics }) {
    const ids = members.map(({ memberId }) => memberId).sort()
    const shares = new Map(ids.map((id): [string, Share] => [id, {}]))
    for (const topic of topics) {
      for (const { partitionId } of cluster.findTopicPartitionMetadata(topic)) {
        const share = shares.get(ids[partitionId % ids.length]!)!
        share[topic] = [...(share[topic] ?? []), partitionId]
      }
    }
    return Promise.resolve(
      [...shares].map(([memberId, assignment]) => ({
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({
          version: 0,
          assignment,
          userData: Buffer.alloc(0),
        }),
      })),
    )
  },

  protocol({ topics }) {
    const metadata = { version: 0, topics, userData: Buffer.alloc(0) }
    return {
      name: 'meterloom-by-number',
      metadata: AssignerProtocol.MemberMetadata.encode(metadata),
    }
  },
})
