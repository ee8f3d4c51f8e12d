import type { FastifySchemaValidationError } from 'fastify/types/schema.js'
import type { MeterloomError } from '../../kernel/errors.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { apiErrors } from '../errors.ts'

/** What ajv says of a query string, in words for a person: field, value, remedy. */

interface PropertySchema {
  readonly type?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly anyOf?: readonly { readonly const?: unknown }[]
}

interface Verbose extends FastifySchemaValidationError {
  readonly parentSchema?: PropertySchema & { readonly properties?: Record<string, unknown> }
}

/** Of what a person sent, as much as a message bears. */
export function shownValue(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) as string | undefined)
  const characters = Array.from(text ?? '')
  const shown = characters.slice(0, LIMITS.apiShownCharactersMax).join('')
  return characters.length > LIMITS.apiShownCharactersMax ? `${shown}...` : shown
}

/** @returns api.badQuery or api.unknownParameter */
export function validationProblem(
  errors: readonly FastifySchemaValidationError[],
  query: Readonly<Record<string, unknown>>,
): MeterloomError {
  const unknown = errors.find(({ keyword }) => keyword === 'additionalProperties') as
    Verbose | undefined
  if (unknown !== undefined) return unknownParameter(unknown, query)
  // Of a choice ajv tells each branch, and then the choice itself.
  const error = (errors.find(({ keyword }) => keyword === 'anyOf') ?? errors[0]) as Verbose
  const field = error.instancePath.split('/')[1] ?? ''
  const value = query[field]
  const remedy = Array.isArray(value)
    ? `it is given ${value.length} times; give it once`
    : `give ${wanted(error.parentSchema ?? {})}`
  return apiErrors.badQuery({ field, value: shownValue(value), remedy })
}

/** What a property takes, such as `a whole number from 1 to 10000`. */
function wanted({ type, minimum, maximum, minLength, maxLength, anyOf }: PropertySchema): string {
  if (anyOf !== undefined) return anyOf.map((branch) => String(branch.const)).join(' or ')
  if (type === 'boolean') return 'true or false'
  if (type === 'integer') return `a whole number from ${minimum ?? 0} to ${maximum ?? 'any'}`
  return `a text of ${minLength ?? 0} to ${maxLength ?? 'any number of'} characters`
}

function unknownParameter(
  { params, parentSchema }: Verbose,
  query: Readonly<Record<string, unknown>>,
): MeterloomError {
  const field = String(params['additionalProperty'])
  const known = Object.keys(parentSchema?.properties ?? {})
  const near = nearest(field, known)
  const guess = near === undefined ? '' : `did you mean ${near}? `
  const remedy = known.length === 0 ? 'leave it out' : `${guess}There are ${known.join(', ')}`
  return apiErrors.unknownParameter({
    field: shownValue(field),
    value: shownValue(query[field]),
    remedy,
  })
}

/** The known name that is most like this one; undefined where none is much like it. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, '')
  const wants = plain(name).slice(0, LIMITS.apiShownCharactersMax)
  const ranked = known
    .map((one) => ({
      one,
      distance: editDistance(wants, plain(one)),
      longer: Math.abs(one.length - name.length),
    }))
    .sort((a, b) => a.distance - b.distance || a.longer - b.longer)
  const [best] = ranked
  if (best === undefined) return undefined
  return best.distance <= Math.max(2, Math.floor(best.one.length / 3)) ? best.one : undefined
}

/** Levenshtein's: insertions, deletions and replacements from one text to the other. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
