/** Icons of 16 by 16, in the colour of the text. They say nothing to screen readers. */

const PATHS = {
  sun:
    'M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z' +
    'M8 1v1.5M8 13.5V15M15 8h-1.5M2.5 8H1' +
    'M12.95 3.05l-1.06 1.06M4.11 11.89l-1.06 1.06M12.95 12.95l-1.06-1.06M4.11 4.11 3.05 3.05',
  moon: 'M13.5 9.8A5.8 5.8 0 0 1 6.2 2.5a5.8 5.8 0 1 0 7.3 7.3Z',
  system: 'M2 3.5h12v7.5H2zM6 13.5h4M8 11v2.5',
  back: 'M10 3 5 8l5 5',
  forward: 'm6 3 5 5-5 5',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  search: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10ZM14 14l-3.5-3.5',
  up: 'm3.5 9.5 4.5-4.5 4.5 4.5',
  down: 'm3.5 6.5 4.5 4.5 4.5-4.5',
  alert: 'M8 2 1.5 13.5h13L8 2ZM8 6.5v3M8 11.5v.2',
  check: 'm3 8.5 3.2 3.2L13 5',
  retry: 'M13.5 8a5.5 5.5 0 1 1-1.7-4M13.5 1.5V4.5h-3',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  )
}

export function Brand() {
  return (
    <svg class="brand-mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="7" />
      <path d="M4 20h4.5l3-9 4.5 13 4-17 3.5 13H28" />
    </svg>
  )
}
