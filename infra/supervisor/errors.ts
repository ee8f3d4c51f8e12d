import { errorTable } from '../../src/kernel/errors.ts'

export const supervisorErrors = errorTable('supervisor', {
  alreadyRunning: {
    domain: 'user',
    retryable: true,
    message: (f: { dataDir: string; pid: number | undefined }) =>
      `meterloom already runs on ${f.dataDir} (process ${f.pid ?? 'unknown'}): stop that one, ` +
      'or set METERLOOM_DATA to another folder',
  },
  keepsEnding: {
    domain: 'internal',
    retryable: false,
    message: (f: { name: string; attempts: number; last: string }) =>
      `the ${f.name} could not be started ${f.attempts} times in a row: ${f.last}`,
  },
})
