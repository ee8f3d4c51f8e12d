/** What channels, kinds and stages are called on the pages. */

const UNIT_ENDING = /_(k?wh|k?w|va|var|v|a|hz|c)$/

/** `power_w` is Power, `energy_register_wh` is Energy register. */
export function channelName(channel: string): string {
  if (channel === '*') return 'Whole meter'
  const words = channel.replace(UNIT_ENDING, '').replaceAll('_', ' ').trim()
  return words === '' ? channel : words[0]!.toUpperCase() + words.slice(1)
}

const FIRST = ['power_w', 'power_kw', 'voltage_v', 'energy_register_wh', 'energy_register_kwh']

function place(channel: string): number {
  const index = FIRST.indexOf(channel)
  if (index >= 0) return index
  // A device with several of a kind: its powers come before all else.
  if (/power.*_k?w$/.test(channel)) return FIRST.length
  return FIRST.length + 1
}

/** Power first, then voltage and registers, then the others by name. */
export function byImportance(a: string, b: string): number {
  return place(a) - place(b) || (a < b ? -1 : a > b ? 1 : 0)
}

const KINDS: Readonly<Record<string, string>> = {
  energy_spike: 'Spike',
  consecutive_anomalies: 'Run of spikes',
}

/** `energy_spike` is Spike; what is not known is told by its own words. */
export function kindName(kind: string): string {
  return KINDS[kind] ?? channelName(kind)
}

/** `15m` is 15 min. */
export function widthName(width: string): string {
  const found = /^(\d+)(s|m|h|d|mo)$/.exec(width)
  if (found === null) return width
  const units: Readonly<Record<string, string>> = { s: 's', m: 'min', h: 'h', d: 'd', mo: 'mo' }
  return `${found[1]!} ${units[found[2]!]!}`
}
