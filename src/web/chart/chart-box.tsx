import type { Signal } from '@preact/signals'
import { useSignal } from '@preact/signals'
import type { RefObject } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import 'uplot/dist/uPlot.min.css'
import { Icon, type IconName } from '../parts/icons.tsx'
import { serverNowMs } from '../rest/ask.ts'
import { coloursOf, coloursVersion } from '../shell/theme.ts'
import type { Picture } from './compose.ts'
import { bindPointers } from './gestures.ts'
import { indexAt } from './line.ts'
import { COLOURS, Plot } from './plot.ts'
import { type Pointed, Tooltip } from './tooltip.tsx'
import { type View, panned, viewOf, zoomed } from './view.ts'

export interface ChartProps {
  readonly picture: Picture
  readonly view: View
  readonly onView: (view: View) => void
  /** Back to the present, with the span of before. */
  readonly onLive: () => void
  readonly unit: string
  readonly zone: string
  /** What the chart shows, for who cannot see it. */
  readonly label: string
  /** How wide the plot is, pixels. */
  readonly onPixels: (pixels: number) => void
}

const ZOOM_IN = 0.6
const PAN = 0.25

/** The chart, and all ways to move it: pointer, wheel, touch, keys and buttons. */
export function ChartBox(props: ChartProps) {
  const box = useRef<HTMLDivElement>(null)
  const pointed = useSignal<Pointed | undefined>(undefined)
  const scaleUnit = useSignal('')
  const plot = usePlot(props, box, pointed, scaleUnit)
  const { view, onView, onLive, label } = props
  const now = serverNowMs()
  const zoom = (factor: number) =>
    onView(zoomed(view, factor, view.isLive ? now : (view.from + view.to) / 2, now))
  const pan = (share: number) => onView(panned(view, share, now))
  const step = (by: number) => {
    const at = neighbour(props.picture, pointed.value?.at ?? view.to, by)
    if (at !== undefined) plot.current?.pointAt(at)
  }
  const keys: Readonly<Record<string, () => void>> = {
    '+': () => zoom(ZOOM_IN),
    '=': () => zoom(ZOOM_IN),
    '-': () => zoom(1 / ZOOM_IN),
    ArrowLeft: () => pan(-PAN),
    ArrowRight: () => pan(PAN),
    'Shift+ArrowLeft': () => step(-1),
    'Shift+ArrowRight': () => step(1),
    PageUp: () => pan(-1),
    PageDown: () => pan(1),
    End: onLive,
    Escape: onLive,
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const isArrow = event.shiftKey && event.key.startsWith('Arrow')
    const act = keys[isArrow ? `Shift+${event.key}` : event.key]
    if (act === undefined || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    act()
  }
  return (
    <div class="chart-frame">
      <div
        class="chart-box"
        ref={box}
        tabIndex={0}
        role="application"
        aria-roledescription="chart"
        aria-label={label}
        aria-describedby="chart-help"
        onKeyDown={onKeyDown}
      />
      <p class="chart-unit" aria-hidden="true">
        {scaleUnit}
      </p>
      <div class="chart-buttons">
        <Move icon="back" name="Earlier" act={() => pan(-0.5)} />
        <Move icon="forward" name="Later" act={() => pan(0.5)} isOff={view.isLive} />
        <Move icon="plus" name="Zoom in" act={() => zoom(ZOOM_IN)} />
        <Move icon="minus" name="Zoom out" act={() => zoom(1 / ZOOM_IN)} />
      </div>
      <Tooltip pointed={pointed} picture={props.picture} unit={props.unit} zone={props.zone} />
      <p id="chart-help" class="visually-hidden">
        Plus and minus zoom, left and right move through time, shift with left and right goes from
        point to point, End goes back to the present. The same values are in the table below.
      </p>
    </div>
  )
}

interface MoveProps {
  readonly icon: IconName
  readonly name: string
  readonly act: () => void
  readonly isOff?: boolean
}

function Move({ icon, name, act, isOff = false }: MoveProps) {
  return (
    <button
      type="button"
      class="button icon-only"
      aria-label={name}
      title={name}
      disabled={isOff}
      onClick={act}
    >
      <Icon name={icon} />
    </button>
  )
}

/** The plot lives as long as its box; what it shows follows the props. */
function usePlot(
  props: ChartProps,
  box: RefObject<HTMLDivElement | null>,
  pointed: Signal<Pointed | undefined>,
  scaleUnit: Signal<string>,
): RefObject<Plot | null> {
  const plot = useRef<Plot>(null)
  const latest = useRef(props)
  latest.current = props
  useLayoutEffect(() => {
    const element = box.current!
    const { picture, view, unit, zone } = latest.current
    const made = new Plot(element, { picture, unit, zone, ...view }, coloursOf(COLOURS), {
      selected: (from, to) => latest.current.onView(viewOf(from, to, serverNowMs())),
      doubleClicked: () => latest.current.onLive(),
      pointed: (at, left, top) => {
        pointed.value = at === undefined ? undefined : { at, left, top }
      },
      scaled: (scaled) => {
        scaleUnit.value = scaled
      },
    })
    plot.current = made
    const tellPixels = () => latest.current.onPixels(made.over.clientWidth)
    const watch = new ResizeObserver(() => {
      made.resize(element.clientWidth, element.clientHeight)
      tellPixels()
    })
    watch.observe(element)
    const unbind = bindPointers(made, {
      view: () => latest.current.view,
      onView: (next) => latest.current.onView(next),
    })
    return () => {
      unbind()
      watch.disconnect()
      made.destroy()
      plot.current = null
    }
  }, [])
  useEffect(() => {
    const { picture, view, unit, zone } = props
    plot.current?.show({ picture, unit, zone, ...view })
  }, [props.picture, props.view, props.unit, props.zone])
  const colours = coloursVersion.value
  useEffect(() => plot.current?.recolour(coloursOf(COLOURS)), [colours])
  return plot
}

/** The time of the next point, or of the one before. */
function neighbour({ line, tail }: Picture, at: number, by: number): number | undefined {
  const x = [...line.x, ...tail.x].filter((_, i) => [...line.y, ...tail.y][i] !== null)
  // A pointer is never exactly on a point.
  const index = indexAt(x, at + 1)
  return x[Math.min(x.length - 1, Math.max(0, index + by))]
}
