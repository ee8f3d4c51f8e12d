import { useEffect, useRef } from 'preact/hooks'
import { AnomaliesPage } from './pages/anomalies.tsx'
import { MeterPage } from './pages/meter.tsx'
import { OverviewPage } from './pages/overview.tsx'
import { PipelinePage } from './pages/pipeline.tsx'
import { Empty } from './parts/states.tsx'
import { Header } from './shell/header.tsx'
import { Link, place, visit } from './shell/router.tsx'

function NotFound() {
  return (
    <Empty isPage title="There is no page at this address">
      <Link href="/">See all meters</Link>
    </Empty>
  )
}

function pageAt(pathname: string, key: number) {
  if (pathname === '/') return { title: 'Overview', page: <OverviewPage /> }
  if (pathname === '/anomalies') return { title: 'Anomalies', page: <AnomaliesPage key={key} /> }
  if (pathname === '/pipeline') return { title: 'Pipeline', page: <PipelinePage /> }
  const meterId = meterIdOf(pathname)
  if (meterId === undefined) return { title: 'Not found', page: <NotFound /> }
  return { title: meterId, page: <MeterPage key={key} meterId={meterId} /> }
}

function meterIdOf(pathname: string): string | undefined {
  const [, name] = /^\/meters\/([^/]+)$/.exec(pathname) ?? []
  try {
    return name === undefined ? undefined : decodeURIComponent(name)
  } catch {
    return undefined
  }
}

export function App() {
  const { pathname } = place.value
  const { title, page } = pageAt(pathname, visit.value)
  const main = useRef<HTMLElement>(null)
  const shown = useRef(pathname)
  useEffect(() => {
    document.title = `${title} · Meterloom`
    // Who uses no mouse goes on reading at the new page, not at the link that led to it.
    if (shown.current !== pathname) main.current?.focus({ preventScroll: true })
    shown.current = pathname
  }, [pathname, title])
  return (
    <>
      <a class="skip-link" href="#main" onClick={() => main.current?.focus()}>
        Skip to the content
      </a>
      <Header />
      <main id="main" ref={main} tabIndex={-1}>
        {page}
      </main>
    </>
  )
}
