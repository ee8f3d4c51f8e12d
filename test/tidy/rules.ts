import { posix } from 'node:path'
import { pathOf, type Source } from './source.ts'

/** Each rule answers what breaks it, one line each: `path:line what`. */

export const COLUMNS_MAX = 100
export const FILE_LINES_MAX = 300
export const FUNCTION_LINES_MAX = 70

/** Files that may do what a rule forbids: path or folder, and why. */
export type Exceptions = Readonly<Record<string, string>>

function isExcepted(path: string, exceptions: Exceptions): boolean {
  return Object.keys(exceptions).some((key) => path === key || path.startsWith(`${key}/`))
}

/** The place of a file in `order`: that of the longest entry that holds it; -1 where none does. */
function placeIn(order: readonly string[], path: string): number {
  let place = -1
  let length = 0
  for (const [index, rooms] of order.entries()) {
    for (const room of rooms.split(' ')) {
      const holds = path === room || path.startsWith(`${room}/`)
      if (holds && room.length > length) [place, length] = [index, room.length]
    }
  }
  return place
}

export function importsDown(sources: readonly Source[], order: readonly string[]): string[] {
  const problems: string[] = []
  for (const { path, imports } of sources) {
    const place = placeIn(order, path)
    if (place < 0) {
      problems.push(`${path}:1 lies in no room of the order`)
      continue
    }
    for (const { line, specifier } of imports) {
      const target = pathOf(path, specifier)
      if (target === undefined || placeIn(order, target) <= place) continue
      problems.push(`${path}:${line} imports ${target}, which is further down the list`)
    }
  }
  return problems
}

/** Circles of imports, types included: each is reported once, from its first file. */
export function circles(sources: readonly Source[]): string[] {
  const graph = new Map(
    sources.map(({ path, imports }) => [
      path,
      imports.flatMap(({ specifier }) => pathOf(path, specifier) ?? []),
    ]),
  )
  const problems: string[] = []
  const finished = new Set<string>()
  const walk = (path: string, way: readonly string[]): void => {
    const from = way.indexOf(path)
    if (from >= 0) problems.push(`${path}:1 circle: ${[...way.slice(from), path].join(' -> ')}`)
    if (from >= 0 || finished.has(path)) return
    for (const next of graph.get(path) ?? []) walk(next, [...way, path])
    finished.add(path)
  }
  for (const path of graph.keys()) walk(path, [])
  return problems
}

export function importsOnlyFrom(
  sources: readonly Source[],
  packages: readonly string[],
  allowed: Exceptions,
): string[] {
  return sources
    .filter(({ path }) => !isExcepted(path, allowed))
    .flatMap(({ path, imports }) =>
      imports
        .filter(({ specifier }) => packages.includes(specifier))
        .map(({ line, specifier }) => `${path}:${line} imports ${specifier}`),
    )
}

export function environmentRead(sources: readonly Source[], allowed: Exceptions): string[] {
  return sources
    .filter(({ path }) => !isExcepted(path, allowed))
    .flatMap(({ path, envLines }) => envLines.map((line) => `${path}:${line} uses process.env`))
}

export function longLines(sources: readonly Source[]): string[] {
  return sources.flatMap(({ path, lines }) =>
    lines.flatMap((line, index) => {
      const columns = Array.from(line).length
      return columns > COLUMNS_MAX ? [`${path}:${index + 1} has ${columns} columns`] : []
    }),
  )
}

export function longFiles(sources: readonly Source[], allowed: Exceptions): string[] {
  return sources
    .filter(({ path }) => !isExcepted(path, allowed))
    .filter(({ lines }) => lines.length - 1 > FILE_LINES_MAX)
    .map(({ path, lines }) => `${path}:1 has ${lines.length - 1} lines`)
}

/** What only groups tests holds them all, and is as long as they are. */
const GROUPS = new Set(['describe', 'suite'])

export function longFunctions(sources: readonly Source[]): string[] {
  return sources.flatMap(({ path, functions }) =>
    functions
      .filter(({ lineCount, passedTo }) => lineCount > FUNCTION_LINES_MAX && !GROUPS.has(passedTo))
      .map(({ line, lineCount }) => `${path}:${line} has a function of ${lineCount} lines`),
  )
}

/** Files that nobody imports or names, and that are no `entries` (patterns of `matchesGlob`). */
export function deadFiles(
  sources: readonly Source[],
  entries: readonly string[],
  named: readonly string[] = [],
): string[] {
  const used: string[] = [...named]
  for (const { path, imports, strings } of sources) {
    for (const { specifier } of imports) used.push(pathOf(path, specifier) ?? '')
    for (const text of strings) {
      // A script is named from where its caller stands, or from the checkout.
      if (/\.(ts|tsx|js)$/.test(text)) used.push(text, posix.join(posix.dirname(path), text))
    }
  }
  const plain = new Set(used)
  const patterns = used.filter((path) => path.includes('*'))
  return sources
    .filter(({ path }) => !plain.has(path))
    .filter(({ path }) => ![...entries, ...patterns].some((p) => posix.matchesGlob(path, p)))
    .map(({ path }) => `${path}:1 is imported by nobody`)
}

// Written so that this very line does not hold the words.
const UNFINISHED = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X'].join('|')})\\b`)
const NOT_DONE = new RegExp(['not', 'implemented'].join(' '), 'i')

export function unfinished(sources: readonly Source[]): string[] {
  return sources.flatMap(({ path, lines }) =>
    lines.flatMap((line, index) =>
      UNFINISHED.test(line) || NOT_DONE.test(line) ? [`${path}:${index + 1} ${line.trim()}`] : [],
    ),
  )
}

export function skippedTests(sources: readonly Source[]): string[] {
  return sources.flatMap(({ path, testMarks }) =>
    testMarks.map(({ line, text }) => `${path}:${line} ${text}`),
  )
}

export interface Page {
  readonly path: string
  readonly text: string
}

/** Links and quoted paths of documents that lead nowhere. `exists` is asked for checkout paths. */
export function brokenLinks(pages: readonly Page[], exists: (path: string) => boolean): string[] {
  const problems: string[] = []
  for (const { path, text } of pages) {
    for (const [index, line] of text.split('\n').entries()) {
      const links = [...line.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
        .map((match) => match[1] ?? '')
        .filter((link) => !/^[a-z]+:/.test(link))
        .map((link) => posix.join(posix.dirname(path), link))
      // A path in backticks is meant from the checkout: `src/kernel/limits.ts`.
      const quoted = [...line.matchAll(/`([\w.-]+(?:\/[\w.-]+)+\.[a-z]+)`/g)]
        .map((match) => match[1] ?? '')
        .filter((link) => /^(src|test|topologies|infra|docs|config|schemas)\//.test(link))
      for (const link of [...links, ...quoted]) {
        if (!exists(link)) problems.push(`${path}:${index + 1} names ${link}, which is not there`)
      }
    }
  }
  return problems
}
