import type { Config } from '../kernel/config.ts'
import { isName, meterKey } from '../kernel/ids.ts'
import { LIMITS } from '../kernel/limits.ts'
import { seconds } from '../kernel/time.ts'
import {
  aDuration,
  type ChannelPattern,
  readPatterns,
  UNKNOWN_CHANNEL,
} from './channel-patterns.ts'
import { isZone, type JsonNode, readJsonFile } from './json-file.ts'
import type { ChannelSpec, MeterSpec, Registry } from './registry.ts'

/** The registry of `config/meters.json` and `config/channels.json`, read once at the start. */

type Defaults = Omit<MeterSpec, 'tenant' | 'meterId'>
type KnownMeter = MeterSpec & { readonly registered: boolean }

const BUILT_IN: Defaults = {
  zone: 'UTC',
  place: undefined,
  expectedIntervalMicros: undefined,
  disorderMicros: seconds(120),
  silentAfterIntervals: 3,
}

/**
 * Reads and checks both files.
 *
 * @throws file.unreadable, file.notJson, file.badField naming file, place, value and what it must
 *   be.
 */
export async function loadRegistry(
  config: Pick<Config, 'metersFile' | 'channelsFile'>,
): Promise<Registry> {
  const [meters, channels] = await Promise.all([
    readJsonFile(config.metersFile, 'METERS_FILE'),
    readJsonFile(config.channelsFile, 'CHANNELS_FILE'),
  ])
  const patterns = readPatterns(channels.field('channels'))
  channels.noOthers()
  const defaults = meters.field('defaults').optional((n) => readDefaults(n)) ?? BUILT_IN
  const list = meters
    .field('meters')
    .items()
    .map((node) => readMeter(node, defaults))
  meters.noOthers()
  return new FileRegistry(meters, list, defaults, patterns)
}

function readDefaults(node: JsonNode): Defaults {
  const defaults = readSpec(node, BUILT_IN)
  node.noOthers()
  return defaults
}

function readSpec(node: JsonNode, preset: Defaults): Defaults {
  return {
    zone:
      node.field('zone').optional((n) => n.text('a time zone such as Europe/Berlin', isZone)) ??
      preset.zone,
    place: node.field('place').optional((n) => n.text()) ?? preset.place,
    expectedIntervalMicros:
      node.field('expectedIntervalSeconds').optional(aDuration) ?? preset.expectedIntervalMicros,
    disorderMicros:
      node
        .field('disorderSeconds')
        .optional((n) => seconds(n.number('0 or a number of seconds', (s) => s >= 0 && s < 1e9))) ??
      preset.disorderMicros,
    silentAfterIntervals:
      node
        .field('silentAfterIntervals')
        .optional((n) => n.number('a number above 0', (count) => count > 0)) ??
      preset.silentAfterIntervals,
  }
}

interface ListedMeter {
  readonly node: JsonNode
  readonly meter: KnownMeter
  readonly channels: readonly ChannelPattern[]
}

function readMeter(node: JsonNode, defaults: Defaults): ListedMeter {
  const wants = 'a name without slash, + # or control characters'
  const tenant = node.field('tenant').text(wants, isName)
  const meterId = node.field('meterId').text(wants, isName)
  const meter = Object.freeze({ tenant, meterId, ...readSpec(node, defaults), registered: true })
  const channels = node.field('channels').optional(readPatterns) ?? []
  node.noOthers()
  return { node, meter, channels }
}

class FileRegistry implements Registry {
  private readonly listed: readonly MeterSpec[]
  private readonly byKey = new Map<string, ListedMeter>()
  private readonly defaults: Defaults
  private readonly patterns: readonly ChannelPattern[]
  /** Most channels have the same few names in all meters, and a pattern is slow to try. */
  private readonly byName = new Map<string, ChannelSpec>()

  constructor(
    file: JsonNode,
    list: readonly ListedMeter[],
    defaults: Defaults,
    patterns: readonly ChannelPattern[],
  ) {
    this.listed = list.map(({ meter }) => meter)
    this.defaults = defaults
    this.patterns = patterns
    for (const each of list) {
      const key = meterKey(each.meter.tenant, each.meter.meterId)
      if (this.byKey.has(key)) {
        throw each.node.field('meterId').refusal(`given once: ${file.file} has ${key} twice`)
      }
      this.byKey.set(key, each)
    }
  }

  meter(tenant: string, meterId: string): KnownMeter {
    const known = this.byKey.get(meterKey(tenant, meterId))
    return known?.meter ?? { tenant, meterId, ...this.defaults, registered: false }
  }

  channel(tenant: string, meterId: string, channel: string): ChannelSpec {
    if (this.byKey.size > 0) {
      const own = this.byKey.get(meterKey(tenant, meterId))?.channels
      const found = own?.find(({ matches }) => matches(channel))
      if (found !== undefined) return found.spec
    }
    let spec = this.byName.get(channel)
    if (spec === undefined) {
      spec = this.patterns.find(({ matches }) => matches(channel))?.spec ?? UNKNOWN_CHANNEL
      if (this.byName.size >= LIMITS.rememberedNamesMax) this.byName.clear()
      this.byName.set(channel, spec)
    }
    return spec
  }

  meters(): readonly MeterSpec[] {
    return this.listed
  }
}
