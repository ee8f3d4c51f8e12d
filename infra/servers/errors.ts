import { errorTable } from '../../src/kernel/errors.ts'

export const serverErrors = errorTable('servers', {
  portTaken: {
    domain: 'user',
    retryable: true,
    message: (f: { server: string; host: string; port: number; setting: string }) =>
      `port ${f.port} on ${f.host}, which ${f.server} wants, is taken by another process: ` +
      `end that one, or set ${f.setting} to a free port`,
  },
  cannotListen: {
    domain: 'user',
    retryable: false,
    message: (f: { server: string; host: string; port: number; setting: string; why: string }) =>
      `${f.server} cannot listen on ${f.host}:${f.port} (${f.why}): set ${f.setting}, ` +
      'BIND_ADDRESS or OPS_BIND_ADDRESS to what this machine allows',
  },
  stopped: {
    domain: 'user',
    retryable: true,
    message: (f: { server: string }) => `${f.server} was stopped while it started`,
  },
  noJars: {
    domain: 'user',
    retryable: false,
    message: (f: { jarsDir: string }) =>
      `${f.jarsDir} holds no jars of Kafka and QuestDB: 'npm start' fetches them, ` +
      'or METERLOOM_SERVER_JARS names the folder that has them',
  },
  notFound: {
    domain: 'user',
    retryable: false,
    message: (f: { server: string; program: string }) =>
      `${f.server} cannot start: there is no program ${f.program}; 'npm start' installs it`,
  },
  exited: {
    domain: 'external',
    retryable: true,
    message: (f: { server: string; how: string; logFile: string; lines: readonly string[] }) =>
      `${f.server} ended (${f.how}) before it was ready; its log ${f.logFile} ends with\n` +
      f.lines.map((line) => `    ${line}`).join('\n'),
  },
  notReady: {
    domain: 'external',
    retryable: true,
    message: (f: { server: string; waitedMs: number; logFile: string; reason: string }) =>
      `${f.server} was not ready within ${f.waitedMs / 1000} s (${f.reason}); see ${f.logFile}`,
  },
  prepareFailed: {
    domain: 'external',
    retryable: false,
    message: (f: { server: string; step: string; lines: readonly string[] }) =>
      `${f.server} could not be prepared: ${f.step} said\n` +
      f.lines.map((line) => `    ${line}`).join('\n'),
  },
  noPostgresUser: {
    domain: 'user',
    retryable: false,
    message: (f: { reason: string }) =>
      'Postgres refuses to run as root, and the system user postgres could not be made ' +
      `(${f.reason}): make it ('useradd --system postgres'), or start as another user than root`,
  },
  otherSystem: {
    domain: 'user',
    retryable: false,
    message: (f: { platform: string }) =>
      `embedded Postgres is there for Linux on x64 and arm64, not for ${f.platform}: ` +
      'set DATABASE_URL to a Postgres of your own',
  },
})
