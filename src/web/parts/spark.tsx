interface SparkProps {
  /** One for each step of time, the newest last; null where nothing is known. */
  readonly values: readonly (number | null)[]
  /** How many steps the width is, so that what is known grows in from the right. */
  readonly steps: number
  readonly label: string
}

const HEIGHT = 100

/** A small line over time that starts at zero. It is a picture of what is also told in words. */
export function Spark({ values, steps, label }: SparkProps) {
  const shown = values.slice(-steps)
  const most = Math.max(1e-9, ...shown.map((value) => value ?? 0)) * 1.15
  const offset = steps - shown.length
  const runs: string[] = []
  let run = ''
  shown.forEach((value, index) => {
    if (value === null) {
      if (run !== '') runs.push(run)
      run = ''
      return
    }
    const x = offset + index
    run += `${run === '' ? 'M' : 'L'}${x} ${(HEIGHT - (value / most) * HEIGHT).toFixed(2)}`
  })
  if (run !== '') runs.push(run)
  return (
    <div class="spark">
      <svg
        role="img"
        aria-label={label}
        viewBox={`0 0 ${steps - 1} ${HEIGHT}`}
        preserveAspectRatio="none"
      >
        {runs.map((path) => (
          <g key={path.slice(0, 12)}>
            <path class="spark-area" d={areaOf(path)} />
            <path class="spark-line" d={path} />
          </g>
        ))}
      </svg>
    </div>
  )
}

function areaOf(path: string): string {
  const firstX = /^M(\S+)/.exec(path)?.[1] ?? '0'
  const lastX = /([ML])(\S+) \S+$/.exec(path)?.[2] ?? firstX
  return `${path}L${lastX} ${HEIGHT}L${firstX} ${HEIGHT}Z`
}
