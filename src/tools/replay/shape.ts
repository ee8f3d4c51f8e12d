import { isName } from '../../kernel/ids.ts'
import { replayErrors } from './errors.ts'

/**
 * What a file's header says of its columns.
 *
 * - wide: `timestamp` and a channel a column; the meter is the file's name.
 * - long: a measurement a row, with its meter and its channel.
 */
export type Shape = WideShape | LongShape

export interface WideShape {
  readonly kind: 'wide'
  readonly columns: number
  readonly at: number
  readonly channels: readonly { readonly index: number; readonly name: string }[]
}

export interface LongShape {
  readonly kind: 'long'
  readonly columns: number
  readonly meter: number
  readonly at: number
  readonly channel: number
  readonly value: number
  /** -1: the file has no such column. */
  readonly quality: number
}

const TIME_NAMES = ['timestamp', 'at', 'time']
/** Labels of test data: what somebody knows of a reading, not what the meter said. */
const LEFT_OUT = new Set(['anomaly', 'kind'])

/**
 * @param valueChannel What the column `value` of a wide file is called as a channel.
 * @throws replay.badHeader
 */
export function shapeOf(file: string, header: readonly string[], valueChannel: string): Shape {
  const names = header.map((name) => name.trim())
  const refuse = (detail: string) =>
    replayErrors.badHeader({ file, header: header.join(',').slice(0, 200), detail })
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw refuse(`has '${twice}' twice`)
  const at = names.findIndex((name) => TIME_NAMES.includes(name))
  if (at < 0) throw refuse(`has no column ${TIME_NAMES.join(', ')}`)
  if (names.includes('meter_id')) return longShape(names, at, refuse)

  const channels = names
    .map((name, index) => ({ index, name: name === 'value' ? valueChannel : name }))
    .filter(({ index }) => index !== at && !LEFT_OUT.has(names[index]!))
  if (channels.length === 0) throw refuse('has no channel')
  for (const { index, name } of channels) {
    if (!isName(name))
      throw refuse(`has '${name}' as column ${index + 1}, which is no channel's name`)
    if (channels.some((other) => other.name === name && other.index !== index)) {
      throw refuse(`would give two columns the channel '${name}'`)
    }
  }
  return { kind: 'wide', columns: names.length, at, channels }
}

function longShape(
  names: readonly string[],
  at: number,
  refuse: (detail: string) => Error,
): LongShape {
  const indexOf = (name: string) => {
    const index = names.indexOf(name)
    if (index < 0) throw refuse(`has meter_id, but no column ${name}`)
    return index
  }
  return {
    kind: 'long',
    columns: names.length,
    meter: indexOf('meter_id'),
    at,
    channel: indexOf('channel'),
    value: indexOf('value'),
    quality: names.indexOf('quality'),
  }
}
