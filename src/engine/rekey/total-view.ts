import type { Total } from './nodes.ts'

/** The one total that is handed down; filled anew for each. */
export class TotalView implements Total {
  tenant = ''
  scope = ''
  scopeId = ''
  channel = ''
  width = ''
  start = 0
  end = 0
  sum = NaN
  mean = NaN
  energyWh = NaN
  reporting = 0
  expected = 0
  final = false
  revision = 0
  restated = false
}
