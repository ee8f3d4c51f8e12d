import { errorTable } from '../kernel/errors.ts'

export const cliErrors = errorTable('cli', {
  badArgument: {
    domain: 'user',
    retryable: false,
    message: (f: { option: string; value: string; wants: string }) =>
      `${f.option} is '${f.value}', but must be ${f.wants}`,
  },
})
