import type { AnomalyFilter } from '../../data/anomaly-list.ts'
import { Icon } from '../../parts/icons.tsx'
import { Segmented } from '../../parts/segmented.tsx'
import { kindName } from '../../text/names.ts'

const KINDS = ['energy_spike', 'consecutive_anomalies']
const SEVERITIES = [
  { value: '', name: 'Any severity' },
  { value: 'high', name: 'High' },
  { value: 'medium', name: 'Medium' },
]

interface FiltersProps {
  readonly filter: AnomalyFilter
  readonly onChange: (filter: AnomalyFilter) => void
}

export function Filters({ filter, onChange }: FiltersProps) {
  // A kind that came by an address is offered too, so that one sees what is filtered by.
  const kinds = [...new Set([...KINDS, ...(filter.kind === '' ? [] : [filter.kind])])]
  return (
    <>
      <label class="search">
        <span class="visually-hidden">Anomalies of one meter, by its id</span>
        <Icon name="search" />
        <input
          type="search"
          placeholder="Meter id"
          value={filter.meterId}
          onChange={({ currentTarget }) =>
            onChange({ ...filter, meterId: currentTarget.value.trim() })
          }
        />
      </label>
      <label class="select">
        <span class="visually-hidden">Kind</span>
        <select
          value={filter.kind}
          onChange={({ currentTarget }) => onChange({ ...filter, kind: currentTarget.value })}
        >
          <option value="">All kinds</option>
          {kinds.map((kind) => (
            <option key={kind} value={kind}>
              {kindName(kind)}
            </option>
          ))}
        </select>
      </label>
      <Segmented
        label="Severity"
        options={SEVERITIES}
        value={filter.severity}
        onChange={(severity) => onChange({ ...filter, severity })}
      />
    </>
  )
}
