import { errorTable } from '../kernel/errors.ts'

export const schemaErrors = errorTable('schemas', {
  notConfluent: {
    domain: 'user',
    retryable: false,
    message: (f: { record: string; length: number; byte: number | undefined }) =>
      `${f.record}: ${f.length} bytes that begin with ${String(f.byte)} are not Avro in the Confluent ` +
      'wire format; send byte 0, the schema id in four bytes, then the Avro body',
  },
  unknownId: {
    domain: 'user',
    retryable: false,
    message: (f: { record: string; id: number; known: string }) =>
      `${f.record}: schema id ${f.id} is not known; use ${f.known}`,
  },
  damaged: {
    domain: 'user',
    retryable: false,
    message: (f: { record: string; detail: string }) =>
      `${f.record}: the Avro body cannot be read (${f.detail}); encode it with the schema of its id`,
  },
  cannotEncode: {
    domain: 'internal',
    retryable: false,
    message: (f: { record: string; field: string; value: string }) =>
      `${f.record}: field ${f.field} cannot hold ${f.value}`,
  },
  registry: {
    domain: 'external',
    retryable: true,
    message: (f: { url: string; status: number; detail: string }) =>
      `the schema registry at ${f.url} answers ${f.status}: ${f.detail}`,
  },
})
