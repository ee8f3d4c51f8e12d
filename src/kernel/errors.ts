/**
 * Errors are tables. Each folder declares its own with `errorTable`, and throws nothing else.
 *
 * - code: `<scope>.<name>`, stable for ever; programs match on it, never on the text.
 * - domain: who can mend it. `user`: the one who sent the input or the setting. `external`: a
 *   server that we call. `internal`: us.
 * - retryable: whether the same call may succeed later with nothing changed.
 * - fields: what the message names, kept apart so that programs need not parse it.
 */

export type ErrorDomain = 'user' | 'external' | 'internal'

/** One row of a table. `message` names the value that is wrong and what mends it. */
export interface ErrorRow<Fields extends object> {
  readonly domain: ErrorDomain
  readonly retryable: boolean
  readonly message: (fields: Fields) => string
}

export class MeterloomError extends Error {
  readonly code: string
  readonly domain: ErrorDomain
  readonly retryable: boolean
  readonly fields: object

  constructor(code: string, row: ErrorRow<never>, fields: object, cause?: unknown) {
    super(row.message(fields as never), cause === undefined ? undefined : { cause })
    this.name = 'MeterloomError'
    this.code = code
    this.domain = row.domain
    this.retryable = row.retryable
    this.fields = fields
  }
}

// The constraint must accept rows of any fields; `never` is the parameter type that all of them
// take.
type Rows = Record<string, ErrorRow<never>>

export type ErrorTable<T extends Rows> = {
  readonly [K in keyof T]: T[K] extends ErrorRow<infer Fields>
    ? (fields: Fields, cause?: unknown) => MeterloomError
    : never
}

const declared = new Map<string, ErrorRow<never>>()

/**
 * Declares the errors of one folder.
 *
 * @example
 * export const logErrors = errorTable('log', {
 *   staleGeneration: {
 *     domain: 'internal', retryable: false,
 *     message: (f: { topic: string; generation: number }) => `generation ${f.generation} of
 *     ${f.topic} is over`,
 *   },
 * })
 * throw logErrors.staleGeneration({ topic, generation }) // code: 'log.staleGeneration'
 */
export function errorTable<T extends Rows>(scope: string, rows: T): ErrorTable<T> {
  const makers: Record<string, (fields: object, cause?: unknown) => MeterloomError> = {}
  for (const [name, row] of Object.entries(rows)) {
    const code = `${scope}.${name}`
    if (declared.has(code)) throw new TypeError(`error code ${code} is declared twice`)
    declared.set(code, row)
    makers[name] = (fields, cause) => new MeterloomError(code, row, fields, cause)
  }
  return Object.freeze(makers) as unknown as ErrorTable<T>
}

/** All rows declared so far, by code: for the test that walks the tables, and for the docs. */
export function declaredErrors(): ReadonlyMap<string, ErrorRow<never>> {
  return declared
}

/** Whether `error` is ours and bears `code`. */
export function hasCode(error: unknown, code: string): error is MeterloomError {
  return error instanceof MeterloomError && error.code === code
}

/** The message of anything thrown, for logs and for people. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
