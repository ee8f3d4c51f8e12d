import { meterKey } from '../../kernel/ids.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Subscribe } from '../contract/live.ts'
import type { LiveItem } from './item.ts'

/** Which items a subscription wants. */
export class Filter {
  readonly tenant: string
  /** The keys of the only meters that it can fit; undefined where it must be asked of each. */
  readonly meterKeys: readonly string[] | undefined
  private readonly meters: ReadonlySet<string> | undefined
  private readonly places: ReadonlySet<string> | undefined
  private readonly channels: ReadonlySet<string> | undefined
  private readonly widths: ReadonlySet<string> | undefined
  private readonly kinds: ReadonlySet<string> | undefined
  private readonly registry: Registry

  constructor(tenant: string, message: Subscribe, registry: Registry) {
    const set = (names: readonly string[] | undefined) => names && new Set(names)
    this.tenant = tenant
    this.meters = set(message.meters)
    this.places = set(message.places)
    this.channels = set(message.channels)
    this.widths = set(message.widths)
    this.kinds = set(message.kinds)
    this.registry = registry
    this.meterKeys =
      this.meters !== undefined && this.places === undefined
        ? [...this.meters].map((meterId) => meterKey(tenant, meterId))
        : undefined
  }

  fits({ tenant, meterId, channel, width, kind }: LiveItem): boolean {
    return (
      tenant === this.tenant &&
      (this.channels?.has(channel) ?? true) &&
      (this.widths?.has(width) ?? true) &&
      (this.kinds?.has(kind) ?? true) &&
      this.fitsMeter(meterId)
    )
  }

  private fitsMeter(meterId: string): boolean {
    if (this.meters === undefined && this.places === undefined) return true
    if (this.meters?.has(meterId) === true) return true
    const place = this.registry.meter(this.tenant, meterId).place
    return place !== undefined && this.places?.has(place) === true
  }
}
