import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const PAGE = join(import.meta.dirname, '../../docs/analysts.md')

/** The queries of docs/analysts.md, by the heading that each stands under. */
export function queriesOfPage(): ReadonlyMap<string, string> {
  const text = readFileSync(PAGE, 'utf8')
  const queries = new Map<string, string>()
  for (const section of text.split(/^### /m).slice(1)) {
    const heading = section.slice(0, section.indexOf('\n'))
    for (const [, query] of section.matchAll(/^```sql\n([\s\S]*?)^```/gm)) {
      if (queries.has(heading)) throw new Error(`${heading} has two queries: give each a heading`)
      queries.set(heading, query!.trim())
    }
  }
  return queries
}
