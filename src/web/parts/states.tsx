import type { ComponentChildren } from 'preact'
import type { ProblemError } from '../rest/problem.ts'
import { Icon } from './icons.tsx'

/** What stands where there is nothing to show, and why. */

interface EmptyProps {
  readonly title: string
  /** Whether it stands in the place of the whole page. */
  readonly isPage?: boolean
  /** What to do next. */
  readonly children?: ComponentChildren
}

export function Empty({ title, isPage = false, children }: EmptyProps) {
  return (
    <div class="empty">
      {isPage ? <h1>{title}</h1> : <p class="empty-title">{title}</p>}
      {children === undefined ? null : <div class="empty-next">{children}</div>}
    </div>
  )
}

interface ProblemProps {
  readonly problem: ProblemError
  readonly retry: () => void
  /** One line, where what was there before is still shown. */
  readonly slim?: boolean
}

export function ProblemBox({ problem, retry, slim = false }: ProblemProps) {
  return (
    <div class={slim ? 'problem slim' : 'problem'} role="alert">
      <Icon name="alert" />
      <div class="problem-text">
        <strong>{problem.title}</strong>
        <p>{problem.message}</p>
        {problem.remedy === '' ? null : <p class="muted">{problem.remedy}</p>}
      </div>
      <button type="button" class="button" onClick={retry}>
        <Icon name="retry" /> Try again
      </button>
    </div>
  )
}

/** As large as what is to come, so that nothing jumps when it is there. */
export function Loading({ label, height }: { readonly label: string; readonly height?: string }) {
  return (
    <div class="loading" role="status" {...(height === undefined ? {} : { style: { height } })}>
      <span class="visually-hidden">{label}</span>
    </div>
  )
}
