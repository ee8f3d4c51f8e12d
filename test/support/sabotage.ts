import { registerHooks } from 'node:module'
import { relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/**
 * Changes sources on their way into a process: `node --import test/support/sabotage.ts …` with the
 * edits in the environment. Fault tests let a role stop at a place that its source knows nothing of
 * (`test/faults/failpoints.ts`); sabotages show that a check finds what it is there for
 * (`test/sabotage`).
 */
export interface Edit {
  /** From the checkout, such as `src/engine/flusher.ts`. */
  readonly file: string
  /** Stands in the file exactly once. */
  readonly find: string
  readonly replace: string
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const EDITS = 'METERLOOM_EDITS'

/** The environment in which a Node process, and each one that it starts, has these edits. */
export function editedEnvironment(edits: readonly Edit[]): Record<string, string> {
  if (edits.length === 0) return {}
  const hook = `--import=${pathToFileURL(import.meta.filename).href}`
  const before = (process.env['NODE_OPTIONS'] ?? '').replace(hook, '').trim()
  return {
    NODE_OPTIONS: before === '' ? hook : `${before} ${hook}`,
    [EDITS]: JSON.stringify(edits),
  }
}

/** @throws Error where the text to be replaced does not stand in the source exactly once. */
export function edited(source: string, edits: readonly Edit[]): string {
  let text = source
  for (const { file, find, replace } of edits) {
    const pieces = text.split(find)
    if (pieces.length !== 2) {
      throw new Error(`${file} holds ${pieces.length - 1} times, and not once, the text\n${find}`)
    }
    text = pieces.join(replace)
  }
  return text
}

function install(edits: readonly Edit[]): void {
  const byFile = Map.groupBy(edits, ({ file }) => file)
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      if (!url.startsWith('file:')) return loaded
      const own = byFile.get(relative(ROOT, fileURLToPath(url)).replaceAll('\\', '/'))
      if (own === undefined) return loaded
      const source = loaded.source
      if (source === undefined) return loaded
      const text = typeof source === 'string' ? source : Buffer.from(source as Uint8Array)
      return { ...loaded, source: edited(text.toString(), own) }
    },
  })
}

const given = process.env[EDITS]
if (given !== undefined && given !== '') install(JSON.parse(given) as Edit[])
