import { errorTable } from '../kernel/errors.ts'

/** What the REST api refuses and fails with; `plugins/problems.ts` gives each its HTTP status. */
export const apiErrors = errorTable('api', {
  badQuery: {
    domain: 'user',
    retryable: false,
    message: (f: { field: string; value: string; remedy: string }) =>
      `${f.field} is '${f.value}': ${f.remedy}`,
  },
  unknownParameter: {
    domain: 'user',
    retryable: false,
    message: (f: { field: string; value: string; remedy: string }) =>
      `there is no parameter '${f.field}' (its value is '${f.value}'): ${f.remedy}`,
  },
  foreignCursor: {
    domain: 'user',
    retryable: false,
    message: (f: { field: string; value: string; why: string; remedy: string }) =>
      `${f.field} '${f.value}' ${f.why}: ${f.remedy}`,
  },
  badRequest: {
    domain: 'user',
    retryable: false,
    message: (f: { detail: string }) => `the request cannot be served: ${f.detail}`,
  },
  noRoute: {
    domain: 'user',
    retryable: false,
    message: (f: { value: string; remedy: string }) =>
      `there is nothing at ${f.value}: ${f.remedy}`,
  },
  wrongMethod: {
    domain: 'user',
    retryable: false,
    message: (f: { method: string; path: string; allowed: string }) =>
      `${f.path} does not take ${f.method}: use ${f.allowed}`,
  },
  storeAway: {
    domain: 'external',
    retryable: true,
    message: (f: { detail: string }) =>
      `QuestDB ${f.detail}; try again, and see /ready for what is wrong`,
  },
  tooSlow: {
    domain: 'external',
    retryable: true,
    message: (f: { seconds: number }) =>
      `QuestDB needs more than ${f.seconds} s for this: name a meter or a channel, or a ` +
      'shorter time',
  },
  busy: {
    domain: 'external',
    retryable: true,
    message: (f: { waiting: number; atOnce: number }) =>
      `${f.waiting} queries wait, and ${f.atOnce} are answered at once: try again in a moment`,
  },
  starting: {
    domain: 'external',
    retryable: true,
    message: (f: { what: string }) => `${f.what} is not known yet: try again in a moment`,
  },
  unexpected: {
    domain: 'internal',
    retryable: false,
    message: (f: { requestId: string }) =>
      `something went wrong here; the log of the api tells more of request ${f.requestId}`,
  },
})
