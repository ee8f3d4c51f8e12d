import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { Static } from 'typebox'
import { MeterloomError, messageOf } from '../../kernel/errors.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { Problem } from '../contract/answers.ts'
import { apiErrors } from '../errors.ts'
import { CLIENT_GONE } from './request-metrics.ts'
import { nearest, shownValue, validationProblem } from './validation-words.ts'

/** RFC 9457: every error of every route below `/api` is told as `application/problem+json`. */

const STATUSES: Readonly<Record<string, number>> = {
  'api.badQuery': 400,
  'api.unknownParameter': 400,
  'api.foreignCursor': 400,
  'api.badRequest': 400,
  'api.noRoute': 404,
  'api.wrongMethod': 405,
  'api.unexpected': 500,
  'api.storeAway': 503,
  'api.tooSlow': 503,
  'api.busy': 503,
  'api.starting': 503,
}

export function isBelowApi(url: string): boolean {
  return /^\/api(?:[/?]|$)/.test(url)
}

function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  error: MeterloomError,
  status = STATUSES[error.code] ?? 500,
): FastifyReply {
  const named = error.fields as Partial<Record<'field' | 'value' | 'remedy', string>>
  const { field, value, remedy } = named
  const problem: Static<typeof Problem> = {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: error.message,
    code: error.code,
    instance: `urn:uuid:${request.id}`,
    ...(field === undefined ? {} : { field }),
    ...(value === undefined ? {} : { value }),
    ...(remedy === undefined ? {} : { remedy }),
  }
  if (status === 503) reply.header('retry-after', String(LIMITS.apiRetryAfterSeconds))
  return reply
    .code(status)
    .type('application/problem+json')
    .header('cache-control', 'no-store')
    .serializer((body: unknown) => JSON.stringify(body))
    .send(problem)
}

/** What is thrown, as an error of ours; what nobody foresaw is logged and told as `unexpected`. */
function asProblem(error: FastifyError | Error, request: FastifyRequest, logger: Logger) {
  if (error instanceof MeterloomError && error.code in STATUSES) return { error }
  const { validation, statusCode } = error as FastifyError
  if (validation !== undefined) {
    return { error: validationProblem(validation, request.query as Record<string, unknown>) }
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return { error: apiErrors.badRequest({ detail: messageOf(error) }), status: statusCode }
  }
  if (request.signal.aborted) {
    const error = apiErrors.badRequest({ detail: 'who asked went away' })
    return { error, status: CLIENT_GONE }
  }
  logger.error({ err: error, requestId: request.id, url: request.url }, 'a request failed')
  return { error: apiErrors.unexpected({ requestId: request.id }, error) }
}

const PLACES = ['meters', 'readings', 'windows', 'baselines', 'anomalies', 'overview', 'pipeline']
  .concat('live', 'docs')
  .map((name) => `/api/${name}`)

function notFound(app: FastifyInstance, request: FastifyRequest, reply: FastifyReply) {
  const [path = ''] = request.url.split('?')
  const { method } = request
  if (method !== 'GET' && PLACES.includes(path) && app.hasRoute({ method: 'GET', url: path })) {
    reply.header('allow', 'GET')
    return sendProblem(request, reply, apiErrors.wrongMethod({ method, path, allowed: 'GET' }))
  }
  const near = nearest(path, PLACES)
  const remedy = `${near === undefined ? '' : `did you mean ${near}? `}See /api/docs`
  return sendProblem(request, reply, apiErrors.noRoute({ value: shownValue(path), remedy }))
}

/** For the whole app: other routes than those below `/api` answer as they would without it. */
export function problems(app: FastifyInstance, logger: Logger): void {
  app.setErrorHandler<FastifyError>((thrown, request, reply) => {
    if (!isBelowApi(request.url)) throw thrown
    const { error, status } = asProblem(thrown, request, logger)
    return sendProblem(request, reply, error, status)
  })
  app.setNotFoundHandler((request, reply) => {
    if (isBelowApi(request.url)) return notFound(app, request, reply)
    const { method, url } = request
    const message = `Route ${method}:${url} not found`
    return reply.code(404).send({ message, error: 'Not Found', statusCode: 404 })
  })
}

/** Requests that come to no route, such as one whose path is badly encoded. */
export function badRequest(error: FastifyError, request: FastifyRequest, reply: FastifyReply) {
  const status = error.statusCode ?? 400
  return sendProblem(request, reply, apiErrors.badRequest({ detail: messageOf(error) }), status)
}
