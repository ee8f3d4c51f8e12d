import { LIMITS } from '../kernel/limits.ts'
import type { Micros } from '../kernel/time.ts'
import type { Topics } from '../log/topics.ts'
import { add } from './declare.ts'
import { engineErrors } from './errors.ts'
import { checkSpan, textOf } from './spans.ts'
import type { Span, Tumbling } from './spans.ts'
import type {
  AsOfNode,
  CombineNode,
  Joined,
  Pane,
  RepairNode,
  Sample,
  SeriesNode,
  SilenceEvent,
  SilenceNode,
  SlidingNode,
  WindowNode,
} from './nodes.ts'
import { EventStream, Stream } from './streams.ts'

export class SeriesStream extends Stream<Sample> {
  declare readonly node: SeriesNode

  /**
   * Meters that fall silent and that come back, as docs/design.md says in section 2.
   *
   * @throws engine.noSilence where the readings' lateness does not say what silence is.
   */
  silence(name: string): EventStream<SilenceEvent> {
    const input = this.node
    if (input.lateness.silence === undefined) {
      throw engineErrors.noSilence({ node: name, series: input.id })
    }
    return new EventStream(
      add<SilenceNode>({ kind: 'silence', id: name, declaration: 'silence', input }),
    )
  }

  /** What comes too late for its windows is asked for in `topic`, and restated by the answer. */
  repair(name: string, topic: keyof Topics): void {
    const declaration = `repair ${topic}`
    add<RepairNode>({ kind: 'repair', id: name, declaration, input: this.node, topic })
  }

  /**
   * For each sample the window `(at - micros, at]` that ends with it, when the watermark has passed
   * `at`. A late sample restates its own and those that look back at it. The energy of a register
   * is not known here: windows of panes have it.
   *
   * @throws engine.badOption where the size is none, or above LIMITS.lookBackMicrosMax.
   */
  sliding(name: string, { width, micros }: Tumbling): Stream<Pane> {
    checkLookBack(name, 'width', micros, 1)
    const declaration = `sliding ${width} ${micros}`
    const input = this.node
    return new Stream<Pane>(
      add<SlidingNode>({ kind: 'sliding', id: name, declaration, input, width, micros }),
    )
  }

  /**
   * Each sample of the channel `left` with the newest of `right` of the same meter at or before it,
   * not older than `tolerance`, when the watermark has passed it. A late sample of either restates
   * what it touches inside the horizon.
   *
   * @example
   * const both = { left: 'power_w', right: 'voltage_v', tolerance: minutes(5) }
   * measured.asOf('power-and-voltage', both)
   * @throws engine.badOption where the tolerance is none, or above LIMITS.lookBackMicrosMax.
   */
  asOf(
    name: string,
    options: { readonly left: string; readonly right: string; readonly tolerance: Micros },
  ): Stream<Joined> {
    const { left, right, tolerance } = options
    checkLookBack(name, 'tolerance', tolerance, 0)
    if (left === right) throw engineErrors.badName({ name: right, why: 'it joins itself' })
    const declaration = `as-of ${JSON.stringify([left, right, tolerance])}`
    const input = this.node
    return new Stream<Joined>(
      add<AsOfNode>({ kind: 'as-of', id: name, declaration, input, left, right, tolerance }),
    )
  }

  /** @throws engine.badOption where the width is no whole number of microseconds above 0. */
  window(name: string, { width, micros }: Tumbling): WindowStream {
    if (!Number.isSafeInteger(micros) || micros <= 0) {
      const wants = 'a whole number of microseconds above 0'
      throw engineErrors.badOption({ node: name, option: 'width', value: micros, wants })
    }
    const input = this.node
    const declaration = `window ${width} ${micros}`
    return new WindowStream(
      add<WindowNode>({ kind: 'window', id: name, declaration, input, width, widthMicros: micros }),
    )
  }
}

function checkLookBack(node: string, option: string, value: Micros, least: Micros): void {
  const { lookBackMicrosMax } = LIMITS
  if (Number.isSafeInteger(value) && value >= least && value <= lookBackMicrosMax) return
  const wants = `a whole number of microseconds from ${least} to ${lookBackMicrosMax}`
  throw engineErrors.badOption({ node, option, value, wants })
}

export class WindowStream extends Stream<Pane> {
  declare readonly node: WindowNode

  /**
   * Larger windows, put together from this one's panes in their order.
   *
   * @throws engine.badOption where panes do not fill them.
   */
  combine(name: string, span: Span): Stream<Pane> {
    checkSpan(name, span, this.node)
    const declaration = `combine ${textOf(span)}`
    return new Stream<Pane>(
      add<CombineNode>({ kind: 'combine', id: name, declaration, input: this.node, span }),
    )
  }
}
