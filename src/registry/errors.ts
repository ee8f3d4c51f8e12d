import { errorTable } from '../kernel/errors.ts'

/** Errors of the files that a user writes: meters, channels, topic map. */
export const fileErrors = errorTable('file', {
  unreadable: {
    domain: 'user',
    retryable: false,
    message: (f: { file: string; detail: string; setting: string }) =>
      `${f.file} cannot be read (${f.detail}); create it, or name another one by ${f.setting}`,
  },
  notJson: {
    domain: 'user',
    retryable: false,
    message: (f: { file: string; detail: string }) => `${f.file} is no JSON: ${f.detail}`,
  },
  badField: {
    domain: 'user',
    retryable: false,
    message: (f: { file: string; place: string; value: string; wants: string }) =>
      `${f.file}: ${f.place} is ${f.value}, but must be ${f.wants}`,
  },
})
