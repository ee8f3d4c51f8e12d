/** What a role's /metrics says: Prometheus's text form, as far as our own metrics go. */
export class Samples {
  private readonly byName = new Map<string, Sample[]>()

  constructor(text: string) {
    for (const line of text.split('\n')) {
      const [, name, labels = '', number] = /^(meterloom_\w+)(?:\{(.*)\})? (\S+)/.exec(line) ?? []
      const value = Number(number)
      if (name === undefined || !Number.isFinite(value)) continue
      const known = this.byName.get(name)
      const sample = { labels: labelsOf(labels), value }
      if (known === undefined) this.byName.set(name, [sample])
      else known.push(sample)
    }
  }

  of(name: string): readonly Sample[] {
    return this.byName.get(name) ?? []
  }
}

export interface Sample {
  readonly labels: ReadonlyMap<string, string>
  readonly value: number
}

function labelsOf(text: string): ReadonlyMap<string, string> {
  const labels = new Map<string, string>()
  for (const [, name, value] of text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
    const plain = value!.replace(/\\(.)/g, (_, mark: string) => (mark === 'n' ? '\n' : mark))
    labels.set(name!, plain)
  }
  return labels
}
