import { errorTable } from '../kernel/errors.ts'

export const opsErrors = errorTable('ops', {
  portTaken: {
    domain: 'user',
    retryable: true,
    message: (f: { role: string; host: string; port: number; setting: string }) =>
      `port ${f.port} on ${f.host}, which the ${f.role} wants, is taken by another process: ` +
      `end that one, or set ${f.setting} to a free port`,
  },
  cannotListen: {
    domain: 'user',
    retryable: false,
    message: (f: { role: string; host: string; port: number; setting: string; why: string }) =>
      `the ${f.role} cannot listen on ${f.host}:${f.port} (${f.why}): ` +
      `set ${f.setting}, BIND_ADDRESS or OPS_BIND_ADDRESS to what this machine allows`,
  },
  unknownRole: {
    domain: 'user',
    retryable: false,
    message: (f: { role: string; roles: readonly string[] }) =>
      `'${f.role}' is no role: it is one of ${f.roles.join(', ')}`,
  },
})
