import { isUtf8 } from 'node:buffer'
import { messageOf } from '../../kernel/errors.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { payloadErrors } from './errors.ts'
import { JsonOutline } from './json-outline.ts'

/**
 * JSON as bytes. JSON.parse reads it, and what JSON.parse does not say is found by counting: it
 * takes the last of two equal keys in silence, so the keys of the text and those of the objects are
 * counted, and only where the counts differ is the text walked key by key.
 */
export interface ParsedJson {
  readonly value: unknown
  /**
   * A key that stands twice in one object, by the element of the top-level array in which it
   * stands; by -1 where the top is none. undefined where there is none, which is nearly always.
   */
  readonly duplicates: ReadonlyMap<number, string> | undefined
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** @throws payload.notText, payload.tooDeep, payload.notJson. */
export function parseJson(bytes: Buffer): ParsedJson {
  if (!isUtf8(bytes)) throw payloadErrors.notText({ bytes: bytes.length })
  if (bytes[0] === 0xef && bytes[1] === 0xbb) {
    throw payloadErrors.notJson({ detail: 'it begins with a byte order mark; leave that out' })
  }
  const keys = countKeys(bytes)
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    throw payloadErrors.notJson({ detail: messageOf(error) }, error)
  }
  if (keysIn(value) === keys) return { value, duplicates: undefined }
  return { value, duplicates: new JsonOutline(bytes).duplicates }
}

/**
 * The keys of the text: its colons outside of strings. Of a text that is no JSON the number means
 * nothing.
 * @throws payload.tooDeep
 */
function countKeys(bytes: Buffer): number {
  let colons = 0
  let depth = 0
  let depthMax = 0
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i]!
    if (byte === QUOTE) {
      for (i += 1; i < bytes.length && bytes[i] !== QUOTE; i += 1) {
        if (bytes[i] === BACKSLASH) i += 1
      }
    } else if (byte === COLON) {
      colons += 1
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      depth += 1
      if (depth > depthMax) depthMax = depth
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      depth -= 1
    }
  }
  if (depthMax > LIMITS.jsonDepthMax) throw payloadErrors.tooDeep({ depth: depthMax })
  return colons
}

function keysIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let keys = 0
  if (Array.isArray(value)) {
    for (const item of value) keys += keysIn(item)
    return keys
  }
  const object = value as Record<string, unknown>
  for (const key in object) {
    const held = object[key]
    keys += typeof held === 'object' ? 1 + keysIn(held) : 1
  }
  return keys
}
