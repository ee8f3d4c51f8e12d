import { seconds } from '../kernel/time.ts'
import type { JsonNode } from './json-file.ts'
import type { ChannelKind, ChannelSpec } from './registry.ts'

/** A line of `channels`: the channels that it speaks of, and what it says of them. */
export interface ChannelPattern {
  /** A channel's name; `*` stands for any characters. */
  readonly pattern: string
  readonly matches: (channel: string) => boolean
  readonly spec: ChannelSpec
}

const KINDS: readonly ChannelKind[] = ['gauge', 'interval', 'cumulative']
const GAP_SECONDS_MAX = 3_600

/** What holds of a channel that no pattern fits. */
export const UNKNOWN_CHANNEL: ChannelSpec = Object.freeze({
  kind: 'gauge',
  unit: '',
  label: 'start',
  lengthMicros: undefined,
  rolloverAt: undefined,
  gapMicrosMax: seconds(GAP_SECONDS_MAX),
})

/** Reads a list of channels. @throws file.badField. */
export function readPatterns(list: JsonNode): readonly ChannelPattern[] {
  const patterns = list.items().map(readPattern)
  const seen = new Set<string>()
  for (const [i, { pattern }] of patterns.entries()) {
    if (seen.has(pattern)) {
      throw list.items()[i]!.field('channel').refusal('named once: the first line decides')
    }
    seen.add(pattern)
  }
  return patterns
}

function readPattern(node: JsonNode): ChannelPattern {
  const pattern = node.field('channel').text('a channel name, * for any characters')
  const kind = node.field('kind').oneOf(KINDS)
  const unit = node.field('unit').optional((n) => n.text('a unit such as Wh', () => true)) ?? ''
  const spec: ChannelSpec = Object.freeze({
    kind,
    unit,
    label: readLabel(node.field('label'), kind),
    lengthMicros: only(node.field('lengthSeconds'), kind, 'interval', aDuration),
    rolloverAt: only(node.field('rolloverAt'), kind, 'cumulative', (n) =>
      n.number('a number above 0', (value) => value > 0),
    ),
    gapMicrosMax:
      only(node.field('gapSecondsMax'), kind, 'cumulative', aDuration) ?? seconds(GAP_SECONDS_MAX),
  })
  node.noOthers()
  return { pattern, matches: matcher(pattern), spec }
}

/**
 * An interval channel must say it: a quarter of an hour lies between the two readings of its times.
 */
function readLabel(node: JsonNode, kind: ChannelKind): 'start' | 'end' {
  if (kind === 'interval') return node.oneOf(['start', 'end'])
  return only(node, kind, 'interval', (n) => n.oneOf(['start', 'end'])) ?? 'start'
}

function only<T>(
  node: JsonNode,
  kind: ChannelKind,
  wanted: ChannelKind,
  read: (node: JsonNode) => T,
): T | undefined {
  if (node.isMissing) return undefined
  if (kind !== wanted) throw node.refusal(`left out: it is for channels of kind ${wanted}`)
  return read(node)
}

export function aDuration(node: JsonNode): number {
  return seconds(node.number('a number of seconds above 0', (n) => n > 0 && n < 1e9))
}

function matcher(pattern: string): (channel: string) => boolean {
  if (!pattern.includes('*')) return (channel) => channel === pattern
  const parts = pattern.split('*').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  const expression = new RegExp(`^${parts.join('.*')}$`, 'su')
  return (channel) => expression.test(channel)
}
