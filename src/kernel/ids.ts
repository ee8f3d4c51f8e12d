import { LIMITS } from './limits.ts'

/**
 * Names on the log. A record's key is `tenant/meterId` in UTF-8; the identity of a measurement is
 * (tenant, meterId, channel, at).
 */

/**
 * What a tenant, a meter id or a channel may be: no slash, no MQTT wildcard, no control character.
 */
const NAME = /^[^\u0000-\u0020/+#$\u007f][^\u0000-\u001f/+#\u007f]*$/u

export function isName(text: string): boolean {
  return text.length > 0 && text.length <= LIMITS.nameLengthMax && NAME.test(text)
}

export function meterKey(tenant: string, meterId: string): string {
  return `${tenant}/${meterId}`
}

/**
 * The hash of Kafka's default partitioner, of the bytes in [start, end), so that any standard
 * client finds a key where we put it. Source: org.apache.kafka.common.utils.Utils.murmur2.
 */
export function murmur2(bytes: Uint8Array, start = 0, end = bytes.length): number {
  const m = 0x5bd1e995
  let h = 0x9747b28c ^ (end - start)
  let i = start
  for (; i + 4 <= end; i += 4) {
    let k = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    k = Math.imul(k, m)
    k ^= k >>> 24
    k = Math.imul(k, m)
    h = Math.imul(h, m) ^ k
  }
  const rest = end - i
  if (rest === 3) h ^= bytes[i + 2]! << 16
  if (rest >= 2) h ^= bytes[i + 1]! << 8
  if (rest >= 1) h = Math.imul(h ^ bytes[i]!, m)
  h ^= h >>> 13
  h = Math.imul(h, m)
  return h ^ (h >>> 15)
}

/** The partition among `count` of the key in [start, end), as Java's producer chooses it. */
export function partitionOf(key: Uint8Array, count: number, start = 0, end = key.length): number {
  return (murmur2(key, start, end) & 0x7fffffff) % count
}

/** One position of the log as one whole number: monotone over epochs, exact while `epoch` < 512. */
export function revisionOf(epoch: number, offset: number): number {
  return epoch * 2 ** 44 + offset
}
