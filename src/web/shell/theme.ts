import { effect, signal } from '@preact/signals'

/** Light or dark: as the system says, unless the person said otherwise. */

export type Theme = 'system' | 'light' | 'dark'

const KEY = 'meterloom.theme'
const systemIsDark = matchMedia('(prefers-color-scheme: dark)')

function remembered(): Theme {
  try {
    const theme = localStorage.getItem(KEY)
    return theme === 'light' || theme === 'dark' ? theme : 'system'
  } catch {
    return 'system'
  }
}

export const theme = signal<Theme>(remembered())
/** Rises with each change of colours: what is drawn on a canvas is drawn anew. */
export const coloursVersion = signal(0)

effect(() => {
  const { dataset } = document.documentElement
  if (theme.value === 'system') delete dataset['theme']
  else dataset['theme'] = theme.value
  coloursVersion.value = coloursVersion.peek() + 1
})

systemIsDark.addEventListener('change', () => {
  coloursVersion.value++
})

export function setTheme(next: Theme): void {
  theme.value = next
  try {
    if (next === 'system') localStorage.removeItem(KEY)
    else localStorage.setItem(KEY, next)
  } catch {
    // Storage is forbidden here: the choice holds for this page alone.
  }
}

/** What custom properties such as `--line` are at this moment, as a canvas takes colours. */
export function coloursOf<Name extends string>(names: readonly Name[]): Record<Name, string> {
  const probe = document.createElement('i')
  document.body.append(probe)
  const found = names.map((name) => {
    probe.style.color = `var(--${name})`
    return [name, getComputedStyle(probe).color]
  })
  probe.remove()
  return Object.fromEntries(found) as Record<Name, string>
}
