import { type LiveStatus, STALE_AFTER_MS } from '../live/status.ts'
import { liveHeardMs, liveStatus } from '../live/client.ts'
import { Brand, Icon } from '../parts/icons.tsx'
import { timeText } from '../text/times.ts'
import { Link, place } from './router.tsx'
import { type Theme, setTheme, theme } from './theme.ts'

const PAGES = [
  { href: '/', name: 'Overview' },
  { href: '/anomalies', name: 'Anomalies' },
  { href: '/pipeline', name: 'Pipeline' },
] as const

export function Header() {
  const { pathname } = place.value
  const isCurrent = (href: string) =>
    href === '/' ? pathname === '/' || pathname.startsWith('/meters/') : pathname === href
  return (
    <header class="header">
      <div class="header-row">
        <Link href="/" class="brand">
          <Brand />
          <span>Meterloom</span>
        </Link>
        <nav class="nav" aria-label="Pages">
          {PAGES.map(({ href, name }) => (
            <Link key={href} href={href} current={isCurrent(href)}>
              {name}
            </Link>
          ))}
        </nav>
        <div class="header-end">
          <Connection />
          <ThemeButton />
        </div>
      </div>
    </header>
  )
}

const STATUS: Record<LiveStatus, { readonly name: string; readonly title: string }> = {
  connecting: { name: 'Connecting', title: 'The live feed is being connected' },
  live: { name: 'Live', title: 'What happens is shown as it happens' },
  reconnecting: {
    name: 'Reconnecting',
    title: 'The live feed was cut and is being connected again',
  },
  stale: {
    name: 'Stale',
    title:
      `No live feed for ${STALE_AFTER_MS / 1_000} s: what is shown may be old. ` +
      'It goes on where it was cut',
  },
}

function Connection() {
  const status = liveStatus.value
  const { name, title } = STATUS[status]
  const heardMs = liveHeardMs.peek()
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  const since =
    status === 'stale' && heardMs > 0 ? ` since ${timeText(heardMs, zone, 'minute')}` : ''
  return (
    <p class={`connection ${status}`} role="status" title={title} data-status={status}>
      <span class="dot" aria-hidden="true" />
      {name}
      {since}
    </p>
  )
}

const THEMES: readonly { readonly value: Theme; readonly name: string }[] = [
  { value: 'system', name: "the system's" },
  { value: 'light', name: 'light' },
  { value: 'dark', name: 'dark' },
]
const THEME_ICONS = { system: 'system', light: 'sun', dark: 'moon' } as const

function ThemeButton() {
  const index = THEMES.findIndex(({ value }) => value === theme.value)
  const next = THEMES[(index + 1) % THEMES.length]!
  const label = `Theme: ${THEMES[index]!.name}. Change to ${next.name}`
  return (
    <button
      type="button"
      class="button quiet"
      aria-label={label}
      title={label}
      onClick={() => setTheme(next.value)}
    >
      <Icon name={THEME_ICONS[theme.value]} />
    </button>
  )
}
