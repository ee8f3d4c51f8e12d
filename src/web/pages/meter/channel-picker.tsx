import { useId } from 'preact/hooks'
import type { MeterRow } from '../../data/fleet-rows.ts'
import { Amount } from '../../parts/quantity.tsx'
import { channelName } from '../../text/names.ts'
import { quantity, registerQuantity } from '../../text/numbers.ts'

interface PickerProps {
  readonly row: MeterRow
  readonly channels: readonly string[]
  readonly value: string
  readonly onChange: (channel: string) => void
}

/** What the meter measures: each with its value of this moment, one of them charted. */
export function ChannelPicker({ row, channels, value, onChange }: PickerProps) {
  const group = useId()
  return (
    <fieldset class="channels">
      <legend class="visually-hidden">Channel of the chart</legend>
      {channels.map((channel) => (
        <label key={channel} class="channel">
          <input
            type="radio"
            name={group}
            value={channel}
            checked={channel === value}
            onChange={() => onChange(channel)}
          />
          <span class="channel-card">
            <span class="channel-name">{channelName(channel)}</span>
            <Value row={row} channel={channel} />
          </span>
        </label>
      ))}
    </fieldset>
  )
}

function Value({ row, channel }: { readonly row: MeterRow; readonly channel: string }) {
  const { value, unit, kind, quality } = row.latest.get(channel)!.value
  const shown = kind === 'cumulative' ? registerQuantity(value, unit) : quantity(value, unit)
  return (
    <span class="channel-value">
      <Amount of={shown} />
      {quality === 'MEASURED' ? null : <span class="tag">{quality.toLowerCase()}</span>}
    </span>
  )
}
