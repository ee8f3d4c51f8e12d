import { errorTable } from '../kernel/errors.ts'

export const schemaErrors = errorTable('schemas', {
  notConfluent: {
    domain: 'user',
    retryable: false,
    message: (f: { record: string; length: number; byte: number | undefined }) =>
      `${f.record}: ${f.length} bytes that begin with ${String(f.byte)} are not Avro in the ` +
      'Confluent wire format; send byte 0, the schema id in four bytes, then the Avro body',
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
      `${f.record}: the Avro body cannot be read (${f.detail}); ` +
      'encode it with the schema of its id',
  },
  cannotEncode: {
    domain: 'internal',
    retryable: false,
    message: (f: { record: string; field: string; value: string }) =>
      `${f.record}: field ${f.field} cannot hold ${f.value}`,
  },
  incompatible: {
    domain: 'external',
    retryable: false,
    message: (f: { record: string; id: number; detail: string }) =>
      `${f.record}: what was written with schema id ${f.id} cannot be read with ours ` +
      `(${f.detail}); write this topic with a schema that schemas/${f.record}.avsc can read`,
  },
  registry: {
    domain: 'external',
    retryable: true,
    message: (f: { url: string; status: number; detail: string }) =>
      `the schema registry at ${f.url} answers ${f.status}: ${f.detail}`,
  },
  noSubject: {
    domain: 'user',
    retryable: false,
    message: (f: { subject: string; known: string }) =>
      `Subject '${f.subject}' not found; the subjects are ${f.known}`,
  },
  noVersion: {
    domain: 'user',
    retryable: false,
    message: (f: { subject: string; version: string }) =>
      `Version ${f.version} of subject '${f.subject}' not found; ask for 'latest'`,
  },
  noSchema: {
    domain: 'user',
    retryable: false,
    message: (f: { id: string; known: string }) =>
      `Schema ${f.id} not found; the ids are ${f.known}`,
  },
  badVersion: {
    domain: 'user',
    retryable: false,
    message: (f: { version: string }) =>
      `The specified version '${f.version}' is not a valid version id: ` +
      "it is a number from 1 to 2^31-1, or 'latest'",
  },
})
