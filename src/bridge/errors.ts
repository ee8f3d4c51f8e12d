import { errorTable } from '../kernel/errors.ts'

export const bridgeErrors = errorTable('bridge', {
  openToOthers: {
    domain: 'user',
    retryable: false,
    message: (f: { bindAddress: string }) =>
      `BIND_ADDRESS is ${f.bindAddress}, where other machines can reach the bridge, but ` +
      'CREDENTIALS_FILE is not set, so that anybody could write readings: set ' +
      'CREDENTIALS_FILE, or ' +
      'leave BIND_ADDRESS at 127.0.0.1',
  },
  noCredentials: {
    domain: 'user',
    retryable: false,
    message: (f: { file: string; detail: string }) =>
      `the credentials in ${f.file} cannot be read (${f.detail}): correct the file that ` +
      'CREDENTIALS_FILE names; docs/bridge.md shows its form',
  },
  badCredentials: {
    domain: 'user',
    retryable: false,
    message: (f: { file: string; place: string; value: string; wants: string }) =>
      `${f.file}: ${f.place} is ${f.value}, but must be ${f.wants}`,
  },
  weakToken: {
    domain: 'user',
    retryable: false,
    message: (f: { length: number; min: number }) =>
      `a token of ${f.length} characters can be guessed: use at least ${f.min} random ` +
      'ones, such as ' +
      'those of `openssl rand -base64 24`',
  },
  frameTooLong: {
    domain: 'user',
    retryable: false,
    message: (f: { length: number; max: number }) =>
      `a frame of ${f.length} bytes is above the ${f.max} that the bridge takes: send ` +
      'smaller batches',
  },
  badFrame: {
    domain: 'user',
    retryable: false,
    message: (f: { detail: string }) => `this is no frame of MQTT 3.1.1: ${f.detail}`,
  },
  tooManyPartial: {
    domain: 'user',
    retryable: true,
    message: (f: { bytes: number; max: number }) =>
      `frames that are begun and not ended hold ${f.bytes} bytes, above ${f.max}: ` +
      'connect again later',
  },
  silent: {
    domain: 'user',
    retryable: true,
    message: (f: { clientId: string; keepaliveMs: number }) =>
      `${f.clientId} has said nothing for one and a half times its keepalive of ` +
      `${f.keepaliveMs} ms`,
  },
  deaf: {
    domain: 'user',
    retryable: true,
    message: (f: { clientId: string; seconds: number }) =>
      `${f.clientId} has taken none of its answers for ${f.seconds} s: read what the bridge sends`,
  },
  notStored: {
    domain: 'external',
    retryable: true,
    message: (f: { detail: string }) =>
      `the message is not acknowledged, since Kafka has not taken it (${f.detail}): send it again`,
  },
  stopping: {
    domain: 'external',
    retryable: true,
    message: (f: { waiting: number }) =>
      `the bridge stops while Kafka does not answer: ${f.waiting} messages are to be sent again`,
  },
  badBrokerUrl: {
    domain: 'user',
    retryable: false,
    message: (f: { value: string }) =>
      `MQTT_URL '${f.value}' is no address of a broker: write mqtt://host:1883 or ` +
      'mqtts://host:8883',
  },
  brokerRefused: {
    domain: 'external',
    retryable: true,
    message: (f: { url: string; what: string; detail: string }) =>
      `the broker at ${f.url} does not ${f.what} (${f.detail}); check MQTT_URL, and that ` +
      'it speaks MQTT 5',
  },
})
