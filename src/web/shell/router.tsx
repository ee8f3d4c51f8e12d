import { batch, signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'

/** The address bar: which page is open, and what of it is shown. */

export const place = signal(new URL(location.href))

/** Rises when another place is gone to, also one on the same page. */
export const visit = signal(0)

function arrive(): void {
  batch(() => {
    place.value = new URL(location.href)
    visit.value++
  })
}

addEventListener('popstate', () => {
  // What lies on the same page, such as its content behind the skip link, is no other place.
  const { pathname, search } = place.peek()
  if (pathname !== location.pathname || search !== location.search) arrive()
})

/** Opens another page of the dashboard. */
export function navigate(href: string): void {
  history.pushState(null, '', href)
  arrive()
  scrollTo(0, 0)
}

/** Changes what of this page is shown, so that its address can be sent to somebody. */
export function amend(params: Readonly<Record<string, string | undefined>>): void {
  const url = new URL(location.href)
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined || value === '') url.searchParams.delete(name)
    else url.searchParams.set(name, value)
  }
  if (url.href === location.href) return
  history.replaceState(null, '', url)
  place.value = url
}

export const meterHref = (meterId: string) => `/meters/${encodeURIComponent(meterId)}`

interface LinkProps {
  readonly href: string
  readonly class?: string
  readonly current?: boolean
  readonly title?: string
  readonly children: ComponentChildren
}

export function Link({ href, current = false, children, ...rest }: LinkProps) {
  const open = (event: MouseEvent) => {
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey
    if (!isPlain || event.altKey || event.defaultPrevented) return
    event.preventDefault()
    navigate(href)
  }
  return (
    <a href={href} onClick={open} {...(current ? { 'aria-current': 'page' } : {})} {...rest}>
      {children}
    </a>
  )
}
