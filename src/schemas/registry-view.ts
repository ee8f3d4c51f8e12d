import type { FastifyError, FastifyReply } from 'fastify'
// Its types let a route's schema have tags and a summary.
import type {} from '@fastify/swagger'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { hasCode } from '../kernel/errors.ts'
import { schemaErrors } from './errors.ts'
import { RECORD_NAMES } from './ids.ts'
import { schemaVersions, subjectOf } from './texts.ts'
import type { SchemaVersion } from './texts.ts'

/**
 * The schemas with their fixed ids in the form of Confluent's registry, read only, so that standard
 * Kafka tools decode the topics. Source: docs.confluent.io, "Schema Registry API Reference".
 */

export interface SchemaRoutesOptions {
  /** The setting TOPIC_PREFIX: subjects are named after topics. */
  readonly topicPrefix?: string
}

const MEDIA_TYPE = 'application/vnd.schemaregistry.v1+json'

const ErrorBody = Type.Object({ error_code: Type.Integer(), message: Type.String() })
const SchemaBody = Type.Object({ schema: Type.String({ description: 'The schema as JSON text' }) })
const VersionBody = Type.Object({
  subject: Type.String(),
  version: Type.Integer(),
  id: Type.Integer(),
  schema: Type.String({ description: 'The schema as JSON text' }),
})
const Id = Type.Object({ id: Type.String({ description: 'Schema id' }) })
const Subject = Type.Object({ subject: Type.String() })
const Version = Type.Object({
  subject: Type.String(),
  version: Type.String({ description: "Number from 1, or 'latest'" }),
})

/** The registry's own numbers: the first three digits are the HTTP status. */
const ERROR_CODES: Readonly<Record<string, number>> = {
  'schemas.noSubject': 40401,
  'schemas.noVersion': 40402,
  'schemas.noSchema': 40403,
  'schemas.badVersion': 42202,
}

function sendError(error: FastifyError, reply: FastifyReply): FastifyReply {
  const known = Object.keys(ERROR_CODES).find((code) => hasCode(error, code))
  const number = known === undefined ? 500 : ERROR_CODES[known]!
  const status = known === undefined ? 500 : Math.floor(number / 100)
  return reply.code(status).type(MEDIA_TYPE).send({ error_code: number, message: error.message })
}

/** The text without the white space that makes it readable in the repository. */
const compact = (text: string) => JSON.stringify(JSON.parse(text))

/** The schemas as they are asked for; what is not there is an error of the table. */
function schemaIndex(topicPrefix: string) {
  const subjects = new Map(
    RECORD_NAMES.map((name): [string, readonly SchemaVersion[]] => [
      subjectOf(name, topicPrefix),
      schemaVersions(name).map((found) => ({ ...found, text: compact(found.text) })),
    ]),
  )
  const byId = new Map([...subjects.values()].flat().map((found) => [String(found.id), found]))

  return {
    subjects: [...subjects.keys()].sort(),
    withId(id: string): SchemaVersion {
      const found = byId.get(id)
      if (found !== undefined) return found
      throw schemaErrors.noSchema({ id, known: [...byId.keys()].join(', ') })
    },
    versionsOf(subject: string): readonly SchemaVersion[] {
      const found = subjects.get(subject)
      if (found !== undefined) return found
      throw schemaErrors.noSubject({ subject, known: [...subjects.keys()].join(', ') })
    },
    versionOf(subject: string, version: string): SchemaVersion {
      const versions = this.versionsOf(subject)
      if (version === 'latest' || version === '-1') return versions.at(-1)!
      if (!/^[1-9][0-9]*$/.test(version)) throw schemaErrors.badVersion({ version })
      const found = versions[Number(version) - 1]
      if (found !== undefined) return found
      throw schemaErrors.noVersion({ subject, version })
    },
  }
}

export const schemaRoutes: FastifyPluginAsyncTypebox<SchemaRoutesOptions> = (app, options) => {
  const index = schemaIndex(options.topicPrefix ?? '')

  app.setErrorHandler<FastifyError>((error, _request, reply) => sendError(error, reply))
  app.addHook('onSend', async (_request, reply, payload) => {
    // Fastify says application/json of objects; the registry's clients ask for this.
    reply.type(MEDIA_TYPE)
    return Promise.resolve(payload)
  })
  const tags = ['schemas']
  const failures = { 404: ErrorBody, 422: ErrorBody }

  app.get('/schemas/types', { schema: { tags, summary: 'Kinds of schemas' } }, () => ['AVRO'])

  app.get(
    '/schemas/ids/:id',
    {
      schema: {
        tags,
        summary: 'The schema with an id',
        params: Id,
        response: { 200: SchemaBody, ...failures },
      },
    },
    ({ params: { id } }) => ({ schema: index.withId(id).text }),
  )

  app.get('/subjects', { schema: { tags, summary: 'Subjects' } }, () => index.subjects)

  app.get(
    '/subjects/:subject/versions',
    { schema: { tags, summary: "A subject's versions", params: Subject } },
    ({ params: { subject } }) => index.versionsOf(subject).map(({ version }) => version),
  )

  app.get(
    '/subjects/:subject/versions/:version',
    {
      schema: {
        tags,
        summary: "One version of a subject's schema",
        params: Version,
        response: { 200: VersionBody, ...failures },
      },
    },
    ({ params: { subject, version } }) => {
      const found = index.versionOf(subject, version)
      return { subject, version: found.version, id: found.id, schema: found.text }
    },
  )

  return Promise.resolve()
}
