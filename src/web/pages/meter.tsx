import { useState } from 'preact/hooks'
import type { LatestValue, MeterItem } from '../../api/contract/items.ts'
import { type MeterRow, applyReadings, renewedRow } from '../data/fleet-rows.ts'
import { learnMeters } from '../data/meter-infos.ts'
import { Ago } from '../parts/ago.tsx'
import { Icon } from '../parts/icons.tsx'
import { Completeness } from '../parts/quantity.tsx'
import { Empty, Loading, ProblemBox } from '../parts/states.tsx'
import { useLive } from '../parts/use-live.ts'
import { useQuery } from '../parts/use-query.ts'
import { type Page, ask } from '../rest/ask.ts'
import { nowMs } from '../shell/clock.ts'
import { Link, amend, place } from '../shell/router.tsx'
import { byImportance } from '../text/names.ts'
import { zoneName } from '../text/times.ts'
import { exampleOf } from '../text/example.ts'
import { ChannelPicker } from './meter/channel-picker.tsx'
import { useShownTime } from './meter/shown-time.ts'
import { SeriesPanel } from './meter/series-panel.tsx'

const EVERY_MS = 20_000

/** One meter: how it does now, and what it measured at any time. */
export function MeterPage({ meterId }: { readonly meterId: string }) {
  const [row, setRow] = useState<MeterRow | undefined>()
  const [isUnknown, setUnknown] = useState(false)
  const { problem, retry } = useQuery(
    meterId,
    async (signal) => {
      const params = { meterId, limit: 1 }
      const { items } = await ask<Page<MeterItem>>('/api/meters', params, signal)
      learnMeters(items)
      setUnknown(items.length === 0)
      if (items[0] !== undefined) setRow(renewedRow(row, items[0]))
      return items
    },
    { everyMs: EVERY_MS },
  )
  return (
    <div class="page meter">
      {problem === undefined ? null : (
        <ProblemBox problem={problem} retry={retry} slim={row !== undefined} />
      )}
      {isUnknown && row === undefined ? <UnknownMeter meterId={meterId} /> : null}
      {row === undefined ? null : <Known row={row} />}
      {row === undefined && !isUnknown && problem === undefined ? (
        <>
          <h1 class="visually-hidden">{meterId}</h1>
          <Loading label="The meter is being asked for" height="560px" />
        </>
      ) : null}
    </div>
  )
}

function UnknownMeter({ meterId }: { readonly meterId: string }) {
  return (
    <Empty isPage title={`No meter of the name ${meterId}`}>
      <p>
        It is not registered, and no reading of it was ever seen. It appears with its first one.
      </p>
      <Link href="/">See all meters</Link>
    </Empty>
  )
}

function Known({ row }: { readonly row: MeterRow }) {
  const { meterId, zone } = row.item
  useLive(
    { topic: 'readings', mode: 'latest', meters: [meterId] },
    { items: (items) => applyReadings(new Map([[meterId, row]]), items) },
  )
  const shown = useShownTime()
  const channels = [...row.latest.keys()].sort(byImportance)
  const [wanted, setWanted] = useState(place.peek().searchParams.get('channel') ?? '')
  const channel = channels.includes(wanted) ? wanted : channels[0]
  const latest = channel === undefined ? undefined : row.latest.get(channel)?.peek()
  const choose = (next: string) => {
    setWanted(next)
    amend({ channel: next })
  }
  return (
    <>
      <MeterHead row={row} />
      {channel === undefined || latest === undefined ? (
        <NoReadings meterId={meterId} />
      ) : (
        <>
          <ChannelPicker row={row} channels={channels} value={channel} onChange={choose} />
          <SeriesPanel
            key={channel}
            meterId={meterId}
            zone={zone}
            intervalS={row.item.expectedIntervalS}
            lastMs={row.lastMs}
            shown={shown}
            channel={channel}
            unit={latest.unit}
            kind={latest.kind satisfies LatestValue['kind']}
          />
        </>
      )}
    </>
  )
}

function MeterHead({ row }: { readonly row: MeterRow }) {
  const { meterId, place: where, zone, completeness24h, expectedIntervalS } = row.item
  const lastMs = row.lastMs.value
  const state = lastMs === null ? 'never' : row.isSilent.value ? 'silent' : 'reporting'
  const said = { never: 'never seen', silent: 'silent', reporting: 'reporting' }[state]
  return (
    <div class="meter-head">
      <div class="meter-title">
        <Link href="/" class="button quiet" title="All meters">
          <Icon name="back" />
          <span class="visually-hidden">All meters</span>
        </Link>
        <h1>{meterId}</h1>
        <span class={`tag ${state}`}>
          <span class={`state-dot ${state}`} aria-hidden="true" /> {said}
        </span>
      </div>
      <dl class="meter-facts">
        <div>
          <dt>Place</dt>
          <dd>{where ?? 'not known'}</dd>
        </div>
        <div>
          <dt>Last reading</dt>
          <dd>{lastMs === null ? 'none yet' : <Ago at={lastMs} zone={zone} />}</dd>
        </div>
        <div>
          <dt>Expected every</dt>
          <dd>{expectedIntervalS === null ? 'being learned' : `${expectedIntervalS} s`}</dd>
        </div>
        <div>
          <dt>Complete, 24 h</dt>
          <dd>
            <Completeness share={completeness24h} />
          </dd>
        </div>
        <div>
          <dt>Times in</dt>
          <dd>
            {zone} <span class="muted">({zoneName(nowMs.value, zone)})</span>
          </dd>
        </div>
      </dl>
    </div>
  )
}

function NoReadings({ meterId }: { readonly meterId: string }) {
  return (
    <Empty title="This meter has sent nothing yet">
      <p>It is registered. Its chart begins with its first reading, such as</p>
      <pre>{exampleOf(meterId)}</pre>
    </Empty>
  )
}
