import { errorTable } from '../../kernel/errors.ts'
import { LIMITS } from '../../kernel/limits.ts'

export const liveErrors = errorTable('live', {
  notJson: {
    domain: 'user',
    retryable: false,
    message: (f: { detail: string }) => `the message is no JSON text: ${f.detail}`,
  },
  badMessage: {
    domain: 'user',
    retryable: false,
    message: (f: { field: string; detail: string }) =>
      `${f.field} ${f.detail}; /api/live/asyncapi.json says what a message may hold`,
  },
  idTaken: {
    domain: 'user',
    retryable: false,
    message: (f: { id: string }) =>
      `subscription '${f.id}' is there already: unsubscribe it first, or choose another id`,
  },
  unknownId: {
    domain: 'user',
    retryable: false,
    message: (f: { id: string }) => `there is no subscription '${f.id}' on this connection`,
  },
  tooManySubscriptions: {
    domain: 'user',
    retryable: false,
    message: (f: { id: string }) =>
      `subscription '${f.id}' would be one above the ${LIMITS.liveSubscriptionsMax} of a ` +
      'connection: name several meters in one, or unsubscribe some',
  },
})
