import {
  type Connection,
  ProtocolError,
  ResponseError,
  Writer,
  produceV9,
} from '@platformatic/kafka'

const PRODUCE_KEY = 0
/** Kafka 2.4 and newer; later versions add nothing that is used here. */
const PRODUCE_VERSION = 9
const ALL_IN_SYNC = -1

/** One signed batch on its way to a partition. */
export interface SignedBatch {
  readonly partition: number
  readonly batch: Buffer
}

/** What a broker says of a partition: where its batch lies, or why it does not. */
export interface PartitionAnswer {
  readonly partition: number
  readonly baseOffset: number
  readonly error: ProtocolError | undefined
}

type Sent = produceV9.ProduceResponse

/**
 * One request to the broker that leads these partitions; answered when all in-sync replicas have
 * the batches. Source: kafka.apache.org, protocol guide, "Produce Request" version 9.
 *
 *   request   := transactionalId:null acks:int16 timeoutMs:int32 topic[] tags
 *   topic     := name:compactString partition[] tags
 *   partition := index:int32 records:compactBytes tags
 */
export async function produce(
  connection: Connection,
  topic: string,
  batches: readonly SignedBatch[],
  timeoutMs: number,
): Promise<readonly PartitionAnswer[]> {
  const payload = () =>
    Writer.create()
      .appendString(null)
      .appendInt16(ALL_IN_SYNC)
      .appendInt32(timeoutMs)
      .appendArray([topic], (writer) => {
        writer.appendString(topic).appendArray([...batches], (inner, { partition, batch }) => {
          inner
            .appendInt32(partition)
            .appendUnsignedVarInt(batch.length + 1)
            .append(batch)
        })
      })
      .appendTaggedFields()
  const { responses } = await new Promise<Sent>((resolve, reject) => {
    connection.send<Sent>(
      PRODUCE_KEY,
      PRODUCE_VERSION,
      payload,
      parse,
      true,
      true,
      (error, sent) => {
        if (error) reject(error)
        else resolve(sent!)
      },
    )
  })
  return responses.flatMap(({ partitionResponses }) =>
    partitionResponses.map(({ index, baseOffset, errorCode, errorMessage }) => ({
      partition: index,
      baseOffset: Number(baseOffset),
      error: errorCode === 0 ? undefined : new ProtocolError(errorCode, errorMessage),
    })),
  )
}

/** A refusal of one partition is an answer like another, and no failure of the request. */
const parse = (...args: Parameters<typeof produceV9.parseResponse>): Sent => {
  try {
    return produceV9.parseResponse(...args)
  } catch (error) {
    if (error instanceof ResponseError) return error['response'] as Sent
    throw error
  }
}
