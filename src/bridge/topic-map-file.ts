import { wattHoursIn } from '../kernel/units.ts'
import type { Config } from '../kernel/config.ts'
import { isZone, type JsonNode, readJsonFile } from '../registry/json-file.ts'
import type { Registry } from '../registry/registry.ts'
import { isPointer, JsonPointer } from './formats/json-pointer.ts'
import { REPEATED } from './formats/local-clock.ts'
import {
  filled,
  type TimeSpec,
  type TopicEntry,
  type TopicMap,
  TopicPattern,
  type ValueSpec,
  type WhenSpec,
} from './topic-map.ts'

/**
 * Reads `config/topic-map.json` and checks it.
 *
 * @param registry Knows the units of the channels that the entries name.
 * @throws file.unreadable, file.notJson, file.badField naming entry, value and what it must be.
 */
export async function loadTopicMap(
  config: Pick<Config, 'topicMapFile'>,
  registry: Registry,
): Promise<TopicMap> {
  const file = await readJsonFile(config.topicMapFile, 'TOPIC_MAP_FILE')
  const nodes = file.field('entries').items()
  file.noOthers()
  const names = new Set<string>()
  const entries = nodes.map((node) => {
    const entry = readEntry(node, registry)
    if (names.has(entry.name)) throw node.field('name').refusal('the name of one entry alone')
    names.add(entry.name)
    return entry
  })
  return { entries }
}

function readEntry(node: JsonNode, registry: Registry): TopicEntry {
  const name = node.field('name').text('a name for the entry')
  const pattern = readPattern(node.field('topic'))
  if (node.field('ignore').optional((n) => n.yesNo()) ?? false) {
    node.noOthers()
    return { kind: 'ignore', name, pattern }
  }
  if (pattern.text.includes('#')) {
    throw node.field('topic').refusal('without #, which only an entry with "ignore": true may have')
  }
  const entry = {
    kind: 'reading',
    name,
    pattern,
    tenant: readTemplate(node.field('tenant'), pattern.names),
    meterId: readTemplate(node.field('meterId'), pattern.names),
    when: node.field('when').optional(readWhen),
    time: readTime(node.field('time')),
    seq: node.field('seq').optional((n) => readPointer(n, false)),
    values: readValues(node.field('values'), registry),
  } as const
  node.noOthers()
  return entry
}

/** `#` stands alone and last; a level in braces is a name that is used once. */
function readPattern(node: JsonNode): TopicPattern {
  const pattern = new TopicPattern(node.text('a topic pattern such as tele/{device}/SENSOR'))
  const levels = pattern.text.split('/')
  for (const [i, level] of levels.entries()) {
    const isWild = level === '+' || (level === '#' && i === levels.length - 1)
    if (isWild || /^\{[A-Za-z][A-Za-z0-9]*\}$/.test(level)) continue
    if (/[+#{}]/.test(level)) throw node.refusal('made of levels, +, {name}, and # at its end')
  }
  if (new Set(pattern.names).size < pattern.names.length) {
    throw node.refusal('a pattern that uses each {name} once')
  }
  return pattern
}

/** A text whose `{name}`s are all known. */
function readTemplate(node: JsonNode, names: readonly string[]): string {
  const text = node.text('a text, with {name} for what the topic keeps')
  const rest = filled(text, new Map(names.map((name) => [name, ''])))
  if (/[{}]/.test(rest)) {
    const known = names.length === 0 ? 'nothing' : names.map((name) => `{${name}}`).join(', ')
    throw node.refusal(`made of what is kept here, which is ${known}`)
  }
  return text
}

function readPointer(node: JsonNode, mayHaveStars: boolean): JsonPointer {
  const pointer = new JsonPointer(node.text('a JSON pointer such as /ENERGY/Power', isPointer))
  if (pointer.stars > 0 && !mayHaveStars) throw node.refusal('a JSON pointer without stars')
  return pointer
}

function readWhen(node: JsonNode): WhenSpec {
  const pointer = readPointer(node.field('pointer'), false)
  const oneOf = node
    .field('oneOf')
    .items()
    .map(({ value }) => value)
  node.noOthers()
  return { pointer, oneOf }
}

function readTime(node: JsonNode): TimeSpec {
  if (node.value === 'received') {
    return { pointer: undefined, zone: undefined, repeated: 'nearest', orReceived: true }
  }
  if (typeof node.value !== 'object') throw node.refusal('"received", or an object with a pointer')
  const pointer = readPointer(node.field('pointer'), false)
  const wants = 'a time zone such as Europe/Berlin, or "meter" for that of the meter'
  const zone = node
    .field('zone')
    .optional((n) => n.text(wants, (name) => name === 'meter' || isZone(name)))
  const repeated = node.field('repeated').optional((n) => n.oneOf(REPEATED)) ?? 'nearest'
  const missing = node.field('missing').optional((n) => n.oneOf(['refuse', 'received'])) ?? 'refuse'
  node.noOthers()
  return { pointer, zone, repeated, orReceived: missing === 'received' }
}

function readValues(node: JsonNode, registry: Registry): readonly ValueSpec[] {
  const values = node.items().map((item) => readValue(item, registry))
  if (values.length === 0) throw node.refusal('a list of at least one value')
  return values
}

function readValue(node: JsonNode, registry: Registry): ValueSpec {
  const pointer = readPointer(node.field('pointer'), true)
  const stars = Array.from({ length: pointer.stars }, (_, i) => String(i + 1))
  const channel = readTemplate(node.field('channel'), stars)
  const each = node.field('each').optional((n) => readTemplate(n, [...stars, 'n']))
  const scale = node
    .field('scale')
    .optional((n) => n.number('a number other than 0', (s) => s !== 0 && Number.isFinite(s)))
  const numericText = node.field('numericText').optional((n) => n.yesNo())
  const unless = node.field('unless').optional((n) => readPointer(n, false))
  const unit = node.field('unit').optional((n) => n.text())
  node.noOthers()
  for (const name of each === undefined ? [channel] : [channel, each]) {
    checkUnit(node.field('unit'), unit, name, registry)
  }
  return {
    pointer,
    channel,
    each,
    scale: scale ?? 1,
    numericText: numericText ?? false,
    unless,
  }
}

/** An energy that is stored under a channel of another unit would be wrong a thousandfold. */
function checkUnit(
  node: JsonNode,
  unit: string | undefined,
  channel: string,
  registry: Registry,
): void {
  const known = registry.channel('', '', channel).unit
  if (unit !== undefined && unit !== known) {
    throw node.refusal(`'${known}', which CHANNELS_FILE has of ${channel}; scale the value to it`)
  }
  if (unit === undefined && wattHoursIn(known) !== undefined) {
    throw node.refusal(`said: ${channel} is energy in ${known}, and so must the value be`)
  }
}
