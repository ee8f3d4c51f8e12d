import { errorTable } from '../../kernel/errors.ts'

export const publishErrors = errorTable('publish', {
  badUrl: {
    domain: 'user',
    retryable: false,
    message: (f: { url: string }) =>
      `'${f.url}' is no MQTT address; give mqtt://host:port or mqtts://host:port`,
  },
  unreachable: {
    domain: 'external',
    retryable: true,
    message: (f: { url: string; detail: string; seconds: number }) =>
      `no MQTT listener answers at ${f.url} within ${f.seconds} s (${f.detail}); start it ` +
      '(`meterloom start`) or give its address by --url',
  },
  refused: {
    domain: 'user',
    retryable: false,
    message: (f: { url: string; code: number; reason: string }) =>
      `${f.url} refuses the connection: ${f.reason} (CONNACK ${f.code}); check user name and ` +
      'password',
  },
  tooLong: {
    domain: 'user',
    retryable: false,
    message: (f: { topic: string; bytes: number; bytesMax: number }) =>
      `a publish on ${f.topic} has ${f.bytes} bytes, above ${f.bytesMax}; send fewer readings ` +
      'in one',
  },
  closed: {
    domain: 'internal',
    retryable: false,
    message: (f: { url: string; unacknowledged: number }) =>
      `the publisher to ${f.url} was closed with ${f.unacknowledged} publishes not acknowledged`,
  },
})
