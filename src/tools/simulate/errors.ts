import { errorTable } from '../../kernel/errors.ts'

export const simulateErrors = errorTable('simulate', {
  tooEarly: {
    domain: 'user',
    retryable: false,
    message: (f: { start: string; earliest: string }) =>
      `the fleet is to begin at ${f.start}, but its registers count from ${f.earliest}; begin ` +
      'later',
  },
  backwards: {
    domain: 'user',
    retryable: false,
    message: (f: { start: string; end: string }) =>
      `the fleet is to begin at ${f.start} and to end at ${f.end}, which is not after it`,
  },
  badState: {
    domain: 'user',
    retryable: false,
    message: (f: { path: string; detail: string }) =>
      `${f.path} is not what a simulated fleet has left (${f.detail}); delete it to begin anew`,
  },
})
