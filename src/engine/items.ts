import type { Micros } from '../kernel/time.ts'
import type { AsOfNode, Joined, Pane, SlidingNode } from './nodes.ts'
import { PaneView } from './pane.ts'
import type { SeriesTable } from './series.ts'
import { type Emit, nameSeries, nextContent } from './windows.ts'
import type { Emitted, Items, WidthState } from './windows.ts'

const [BAD, NONE] = [3, -1]

/**
 * Items of one sample each, which look back at others: an item is known by the time of its sample,
 * and is closed when the watermark has passed that. All is computed from the samples that the task
 * keeps anyway, only that they are kept for longer.
 */
abstract class ItemState<Node extends SlidingNode | AsOfNode> {
  readonly node: Node
  readonly step: Micros = 1
  protected readonly table: SeriesTable

  constructor(node: Node, table: SeriesTable) {
    this.node = node
    this.table = table
  }

  /** Whether samples of the series have items. */
  protected abstract has(slot: number): boolean

  firstHolding(slot: number, time: Micros): Micros {
    if (!this.has(slot)) return Infinity
    const { samples } = this.table
    const shift = this.table.shiftOf(slot)
    const index = samples.lowerBound(slot, time + shift)
    return index < samples.count(slot) ? samples.atOf(slot, index) - shift : Infinity
  }

  endOf(_slot: number, start: Micros): Micros {
    return start + 1
  }

  following(slot: number, start: Micros): Micros {
    return this.firstHolding(slot, start + 1)
  }

  next(slot: number, start: Micros): Micros {
    return this.has(slot) ? nextContent(this.table, slot, start, null) : Infinity
  }

  holdsOther(): boolean {
    return false
  }

  /** The index of the series' sample that counts at this time; -1 where there is none. */
  protected indexAt(slot: number, start: Micros): number {
    const { samples } = this.table
    const at = start + this.table.shiftOf(slot)
    const index = samples.lowerBound(slot, at)
    if (index === samples.count(slot) || samples.atOf(slot, index) !== at) return NONE
    return samples.qualityOf(slot, index) === BAD ? NONE : index
  }
}

/** For each sample the window `(at - size, at]` that ends with it. */
export class SlidingState extends ItemState<SlidingNode> implements WidthState {
  readonly micros: Micros
  emit: Emit<Pane> = () => undefined
  readonly items: Items
  private readonly pane: PaneView

  constructor(node: SlidingNode, table: SeriesTable) {
    super(node, table)
    this.micros = node.micros
    this.pane = new PaneView(node.width)
    this.items = {
      target: (slot) => slot,
      spread: () => node.micros - 1,
      knew: (slot, start) => this.indexAt(slot, start) !== NONE,
      keeps: () => node.micros,
    }
  }

  protected has(): boolean {
    return true
  }

  compute(slot: number, start: Micros): PaneView {
    const { pane, table, micros } = this
    const { samples } = table
    pane.begin(start - micros, start)
    nameSeries(pane, table, slot)
    const last = this.indexAt(slot, start)
    if (last !== NONE) {
      const from = samples.lowerBound(slot, samples.atOf(slot, last) - micros + 1)
      const wattHours = table.isInterval(slot) ? table.series.columns.wattHours.get(slot) : NaN
      if (!isNaN(wattHours)) pane.energyWh = 0
      for (let i = from; i <= last; i++) {
        if (samples.qualityOf(slot, i) !== BAD) take(pane, samples.valueOf(slot, i), wattHours)
      }
      const mean = pane.sum / pane.count
      for (let i = from; i <= last; i++) {
        if (samples.qualityOf(slot, i) !== BAD) {
          pane.squares += (samples.valueOf(slot, i) - mean) ** 2
        }
      }
    }
    pane.finish(table.series.columns.expected.get(slot))
    return pane
  }
}

function take(pane: PaneView, value: number, wattHours: number): void {
  if (pane.count++ === 0) pane.first = value
  pane.sum += value
  pane.min = Math.min(pane.min, value)
  pane.max = Math.max(pane.max, value)
  pane.last = value
  if (!isNaN(wattHours)) pane.energyWh += value * wattHours
}

/** The one joined item that is handed down, filled anew for each. */
class JoinedView implements Joined, Emitted {
  tenant = ''
  meterId = ''
  channel = ''
  readonly rightChannel: string
  at: Micros = 0
  left = NaN
  right = NaN
  rightAt: Micros = NaN
  revision = 0
  restated = false

  constructor(rightChannel: string) {
    this.rightChannel = rightChannel
  }

  get hasContent(): boolean {
    return !isNaN(this.left)
  }
}

/** Each sample of the left channel with the newest of the right at or before it. */
export class AsOfState extends ItemState<AsOfNode> implements WidthState {
  readonly micros: Micros = 0
  emit: Emit<Joined> = () => undefined
  readonly items: Items
  private readonly joined: JoinedView

  constructor(node: AsOfNode, table: SeriesTable) {
    super(node, table)
    this.joined = new JoinedView(node.right)
    this.items = {
      target: (slot) => this.targetOf(slot),
      spread: (slot, place) => this.spreadOf(slot, place),
      knew: (slot, start) => this.indexAt(slot, start) !== NONE,
      keeps: (slot) => this.keeps(slot),
    }
  }

  protected has(slot: number): boolean {
    return this.table.channelOf(slot) === this.node.left
  }

  private targetOf(slot: number): number {
    const channel = this.table.channelOf(slot)
    if (channel === this.node.left) return slot
    return channel === this.node.right ? this.sibling(slot, this.node.left) : NONE
  }

  /** A right value holds until the next one, and no longer than the tolerance. */
  private spreadOf(slot: number, place: Micros): Micros {
    if (this.has(slot)) return 0
    const next = nextContent(this.table, slot, place + 1, null)
    return Math.min(this.node.tolerance, next - place - 1)
  }

  private keeps(slot: number): Micros {
    const { left, right, tolerance } = this.node
    if (this.table.channelOf(slot) !== right) return 0
    // The left one's boundary may lie further back.
    const other = this.sibling(slot, left)
    return tolerance + (other === NONE ? 0 : this.table.shiftOf(other))
  }

  private sibling(slot: number, channel: string): number {
    const { table } = this
    const { next, meter } = table.series.columns
    let other = table.meters.columns.first.get(meter.get(slot))
    while (other >= 0 && table.channelOf(other) !== channel) other = next.get(other)
    return other
  }

  compute(slot: number, start: Micros): JoinedView {
    const { joined, table } = this
    const { samples } = table
    const meter = table.series.columns.meter.get(slot)
    joined.tenant = table.tenants[meter]!
    joined.meterId = table.meterIds[meter]!
    joined.channel = this.node.left
    joined.at = start
    joined.left = joined.right = joined.rightAt = NaN
    const index = this.indexAt(slot, start)
    if (index === NONE) return joined
    joined.left = samples.valueOf(slot, index)
    const right = this.sibling(slot, this.node.right)
    if (right === NONE) return joined
    const shift = table.shiftOf(right)
    let i = samples.lowerBound(right, start + shift + 1) - 1
    while (i >= 0 && samples.qualityOf(right, i) === BAD) i--
    if (i < 0 || samples.atOf(right, i) - shift < start - this.node.tolerance) return joined
    joined.right = samples.valueOf(right, i)
    joined.rightAt = samples.atOf(right, i) - shift
    return joined
  }
}
