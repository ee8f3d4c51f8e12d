import { Readable } from 'node:stream'
import { stringify } from 'csv-stringify/sync'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { LIMITS } from '../../kernel/limits.ts'

/** Whether CSV is wanted: by `format`, else by what the client would rather have. */
export function wantsCsv(request: FastifyRequest, format: 'json' | 'csv' | undefined): boolean {
  if (format !== undefined) return format === 'csv'
  const weights = new Map<string, number>()
  for (const part of (request.headers.accept ?? '').split(',')) {
    const [type = '', ...parameters] = part.split(';').map((word) => word.trim().toLowerCase())
    const weight = parameters.find((word) => word.startsWith('q='))?.slice(2)
    weights.set(type, weight === undefined ? 1 : Number(weight))
  }
  const json = weights.get('application/json') ?? weights.get('application/*') ?? 0
  return (weights.get('text/csv') ?? 0) > Math.max(json, 0)
}

/**
 * Streams items as CSV (RFC 4180, UTF-8): a head line, then a line an item, lines ending in CRLF.
 * The next items are asked for when the client has taken those before; when it goes away no more
 * are.
 *
 * @param fields The columns, which are the items' fields.
 * @param batches Items in pieces; the first is awaited before the answer begins, so that what is
 *   wrong with a query is still told as a problem.
 */
export async function sendCsv<Item extends object>(
  request: FastifyRequest,
  reply: FastifyReply,
  { name, fields, batches }: Csv<Item>,
  stallMsMax: number = LIMITS.apiCsvStallMsMax,
): Promise<FastifyReply> {
  const source = batches[Symbol.asyncIterator]()
  const first = request.method === 'HEAD' ? undefined : await source.next()
  void reply
    .type('text/csv; charset=utf-8; header=present')
    .header('content-disposition', `attachment; filename="${name}.csv"`)
  if (first === undefined) return reply.send('')
  // A socket on which nothing moves is destroyed, and with it ends what reads for it.
  reply.raw.setTimeout(stallMsMax)
  return reply.send(Readable.from(texts(fields, first, source), { highWaterMark: 1 }))
}

export interface Csv<Item> {
  /** Of the file, without its ending. */
  readonly name: string
  readonly fields: readonly string[]
  readonly batches: AsyncIterable<readonly Item[]>
}

async function* texts<Item extends object>(
  fields: readonly string[],
  first: IteratorResult<readonly Item[], unknown>,
  source: AsyncIterator<readonly Item[]>,
): AsyncGenerator<string> {
  yield csvText([fields])
  try {
    for (let batch = first; batch.done !== true; batch = await source.next()) {
      if (batch.value.length > 0)
        yield csvText(batch.value.map((item) => Object.values(item) as unknown[]))
    }
  } finally {
    await source.return?.()
  }
}

function csvText(lines: readonly (readonly unknown[])[]): string {
  return stringify([...lines] as unknown[][], {
    record_delimiter: 'windows',
    // A line end of either kind would end the record for some reader.
    quoted_match: /[\r\n]/,
    cast: {
      boolean: (value) => String(value),
      object: (value) => JSON.stringify(value),
    },
  })
}
