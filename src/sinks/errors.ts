import { errorTable } from '../kernel/errors.ts'

export const sinkErrors = errorTable('sinks', {
  unavailable: {
    domain: 'external',
    retryable: true,
    message: (f: { address: string; detail: string }) =>
      `QuestDB at ${f.address} does not answer (${f.detail}); check QUESTDB_URL and QuestDB's log`,
  },
  badUrl: {
    domain: 'user',
    retryable: false,
    message: (f: { detail: string }) =>
      `QUESTDB_URL is no address of QuestDB's HTTP (${f.detail}); give ` +
      'http://user:password@host:9000',
  },
  refused: {
    domain: 'external',
    retryable: false,
    message: (f: { address: string; status: number; detail: string }) =>
      `QuestDB at ${f.address} refuses with status ${f.status}: ${f.detail}; check the user and ` +
      'password of QUESTDB_URL, and that it may write',
  },
  badQuery: {
    domain: 'internal',
    retryable: false,
    message: (f: { query: string; detail: string }) =>
      `QuestDB does not do '${f.query}': ${f.detail}`,
  },
  rowRefused: {
    domain: 'internal',
    retryable: false,
    message: (f: { table: string; row: string; detail: string }) =>
      `QuestDB refuses a row of table ${f.table}: ${f.detail}. The row is ${f.row}. Nothing of ` +
      'its batch is written; where the table was changed or dropped, start again: it is checked ' +
      'and made at start',
  },
  badValue: {
    domain: 'internal',
    retryable: false,
    message: (f: { table: string; column: string; value: string; wants: string }) =>
      `column ${f.column} of table ${f.table} is ${f.value}, but must be ${f.wants}`,
  },
  badPrefix: {
    domain: 'user',
    retryable: false,
    message: (f: { prefix: string }) =>
      `TABLE_PREFIX is '${f.prefix}', but must be of letters, digits and underscores, 64 at most`,
  },
  oldServer: {
    domain: 'user',
    retryable: false,
    message: (f: { address: string; versions: string }) =>
      `QuestDB at ${f.address} speaks versions ${f.versions} of the line protocol, but 2 is ` +
      'needed; use QuestDB 9.3 or newer',
  },
  tableDiffers: {
    domain: 'user',
    retryable: false,
    message: (f: { table: string; column: string; found: string; wants: string }) =>
      `QuestDB's table ${f.table} is not as Meterloom needs it: ${f.column} is ${f.found}, but ` +
      `must be ${f.wants}. Rename the table (RENAME TABLE '${f.table}' TO ...) and start again, ` +
      'which makes it anew, then fill it by `meterloom resink`; or set another TABLE_PREFIX',
  },
  closed: {
    domain: 'internal',
    retryable: false,
    message: (f: { table: string }) =>
      `the sink was closed before QuestDB acknowledged rows of ${f.table}`,
  },
})
