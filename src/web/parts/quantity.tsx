import { type Quantity, percentText } from '../text/numbers.ts'

/** A number with its unit, which never stand on two lines. */
export function Amount({ of: { number, unit } }: { readonly of: Quantity }) {
  return (
    <span class="amount">
      {number}
      {unit === '' ? null : <span class="unit"> {unit}</span>}
    </span>
  )
}

/** How much of what was expected is there. */
export function Completeness({ share }: { readonly share: number | null }) {
  if (share === null) return <span class="muted">–</span>
  const level = share >= 0.99 ? 'full' : share >= 0.9 ? 'most' : 'low'
  return (
    <span class={`completeness ${level}`}>
      <span class="completeness-bar" aria-hidden="true">
        <span style={{ width: `${Math.max(2, share * 100)}%` }} />
      </span>
      <span class="completeness-text">{percentText(share)}</span>
    </span>
  )
}
