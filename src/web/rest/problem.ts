/** Why a question to the api got no answer, as the pages show it. */
export class ProblemError extends Error {
  readonly title: string
  /** 0: the api did not answer at all. */
  readonly status: number
  readonly remedy: string

  constructor(title: string, status: number, detail: string, remedy = '') {
    super(detail)
    this.name = 'ProblemError'
    this.title = title
    this.status = status
    this.remedy = remedy
  }
}

/** What the api said in the place of an answer: problem+json, or whatever stands in the way. */
export function problemOf(status: number, text: string): ProblemError {
  const said = parsed(text)
  if (typeof said?.detail === 'string') {
    const { title, remedy } = said
    const named = typeof title === 'string' ? title : `The api answered ${status}`
    return new ProblemError(named, status, said.detail, typeof remedy === 'string' ? remedy : '')
  }
  return new ProblemError(`The api answered ${status}`, status, text.slice(0, 200))
}

export function unreachable(error: unknown): ProblemError {
  const why = error instanceof Error ? error.message : String(error)
  const remedy = 'See whether it runs: npm run -s meterloom -- status'
  return new ProblemError('The api does not answer', 0, why, remedy)
}

function parsed(text: string): { title?: unknown; detail?: unknown; remedy?: unknown } | null {
  try {
    return JSON.parse(text) as object | null
  } catch {
    return null
  }
}
