import { add } from '../declare.ts'
import { engineErrors } from '../errors.ts'
import { Stream } from '../streams.ts'
import type { RekeyedNode, TotalsNode } from '../nodes.ts'
import type { Total, TotalsOptions } from './nodes.ts'

/** What stage one gave to an intermediate topic. */
export class RekeyedStream {
  private readonly node: RekeyedNode

  constructor(node: RekeyedNode) {
    this.node = node
  }

  /**
   * Totals over the series of each scope, by channel and window.
   *
   * @throws engine.badOption where a width or a time is no whole number above 0.
   */
  totals(name: string, options: TotalsOptions): Stream<Total> {
    const { scopes, widths, keepMillis, silentAfterMillis } = options
    const whole = (option: string, value: number) => {
      if (Number.isSafeInteger(value) && value > 0) return
      throw engineErrors.badOption({ node: name, option, value, wants: 'a whole number above 0' })
    }
    whole('keepMillis', keepMillis)
    whole('silentAfterMillis', silentAfterMillis)
    for (const { width, micros, remembered } of widths) {
      whole(`${width}.micros`, micros)
      whole(`${width}.remembered`, remembered)
    }
    const groups = scopes.map(({ scope, idOf }) => `${scope} ${String(idOf)}`)
    const times = JSON.stringify({ widths, keepMillis, silentAfterMillis })
    const declaration = `totals ${groups.join(', ')} ${times}`
    const own = Object.freeze({ ...options })
    return new Stream<Total>(
      add<TotalsNode>({ kind: 'totals', id: name, declaration, input: this.node, options: own }),
    )
  }
}
