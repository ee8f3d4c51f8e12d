import { useEffect, useState } from 'preact/hooks'
import { type WidthChoice, WIDTHS } from '../../chart/resolution.ts'
import { PRESETS, type View, liveView, spanOf } from '../../chart/view.ts'
import { serverNowMs } from '../../rest/ask.ts'
import { amend, place } from '../../shell/router.tsx'

/** The time that is shown and in what width, whichever channel is charted. */
export interface ShownTime {
  /** As it was chosen: a live one moves on from there. */
  readonly chosen: View
  readonly setView: (view: View) => void
  readonly choice: WidthChoice
  readonly setChoice: (choice: WidthChoice) => void
}

const DEFAULT_SPAN_MS = PRESETS[1].spanMs
/** The address follows when one pauses: browsers take so many changes of it and no more. */
const PAUSE_MS = 240

/** The view that the address tells of: from and to, or the last so many seconds. */
function viewInAddress(): View {
  const { searchParams } = place.peek()
  const [from, to] = ['from', 'to'].map((name) => Date.parse(searchParams.get(name) ?? ''))
  if (from! < to!) return { from: from!, to: to!, isLive: false }
  const lastS = Number(searchParams.get('last'))
  return liveView(lastS >= 10 ? lastS * 1_000 : DEFAULT_SPAN_MS, serverNowMs())
}

function choiceInAddress(): WidthChoice {
  const width = place.peek().searchParams.get('width')
  return WIDTHS.find((one) => one === width) ?? 'auto'
}

function toAddress(view: View, choice: WidthChoice): void {
  const seconds = Math.round(spanOf(view) / 1_000)
  amend({
    from: view.isLive ? undefined : new Date(view.from).toISOString(),
    to: view.isLive ? undefined : new Date(view.to).toISOString(),
    last: view.isLive ? String(seconds) : undefined,
    width: choice === 'auto' ? undefined : choice,
  })
}

export function useShownTime(): ShownTime {
  const [chosen, setView] = useState(viewInAddress)
  const [choice, setChoice] = useState(choiceInAddress)
  useEffect(() => {
    const timer = setTimeout(() => toAddress(chosen, choice), PAUSE_MS)
    return () => clearTimeout(timer)
  }, [chosen, choice])
  return { chosen, setView, choice, setChoice }
}
