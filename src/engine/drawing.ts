import { type AnyNode, inputsOf } from './nodes.ts'
import type { Pipeline } from './pipeline.ts'

/**
 * A pipeline as a picture: data runs from left to right, each node stands behind all that it reads,
 * and below what its input feeds before it.
 */

const [WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN] = [264, 44, 46, 12, 20]
/** Letters that fit into a box. */
const LETTERS = 34

interface Box {
  readonly node: AnyNode
  readonly x: number
  readonly y: number
}

const SINKS: ReadonlySet<AnyNode['kind']> = new Set(['table', 'log', 'rekey', 'repair'])

function classOf(node: AnyNode): string {
  if (SINKS.has(node.kind)) return 'sink'
  return inputsOf(node).length === 0 ? 'source' : 'step'
}

/** Each node's place; a node's row is that of its first reader, or a row of its own. */
function placed(pipeline: Pipeline): ReadonlyMap<AnyNode, Box> {
  const column = new Map<AnyNode, number>()
  for (const node of pipeline.nodes) {
    const before = inputsOf(node).map((input) => column.get(input)! + 1)
    column.set(node, Math.max(0, ...before))
  }
  const boxes = new Map<AnyNode, Box>()
  let rows = 0
  const place = (node: AnyNode): void => {
    const readers = pipeline.nodes.filter((other) => inputsOf(other)[0] === node)
    const row = rows
    boxes.set(node, {
      node,
      x: MARGIN + column.get(node)! * (WIDTH + GAP_X),
      y: MARGIN + row * (HEIGHT + GAP_Y),
    })
    for (const reader of readers) place(reader)
    if (readers.length === 0) rows++
  }
  for (const node of pipeline.nodes) if (inputsOf(node).length === 0) place(node)
  return boxes
}

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

function clipped(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ')
  return escaped(line.length <= LETTERS ? line : `${line.slice(0, LETTERS - 1)}…`)
}

function boxOf({ node, x, y }: Box): string {
  return [
    `<g class="${classOf(node)}"><title>${escaped(`${node.id}\n${node.declaration}`)}</title>`,
    `<rect x="${x}" y="${y}" width="${WIDTH}" height="${HEIGHT}" rx="6"/>`,
    `<text class="name" x="${x + 10}" y="${y + 18}">${clipped(node.id)}</text>`,
    `<text x="${x + 10}" y="${y + 34}">${clipped(node.declaration)}</text></g>`,
  ].join('')
}

function lineOf(from: Box, to: Box): string {
  const [x1, y1] = [from.x + WIDTH, from.y + HEIGHT / 2]
  const [x2, y2] = [to.x, to.y + HEIGHT / 2]
  // It turns in the gap before the reader, where no box stands.
  const turn = x2 - GAP_X / 2
  return `<path d="M${x1} ${y1}H${turn}V${y2}H${x2}"/>`
}

const STYLE = `
  svg { color-scheme: light dark; background: #fff; }
  text { font: 11px system-ui, sans-serif; fill: #4b5563; }
  .name { font-weight: 600; font-size: 12px; fill: #111827; }
  rect { fill: #f3f4f6; stroke: #9ca3af; }
  .source rect { fill: #dbeafe; stroke: #2563eb; }
  .sink rect { fill: #dcfce7; stroke: #15803d; }
  path { fill: none; stroke: #9ca3af; }
  @media (prefers-color-scheme: dark) {
    svg { background: #111827; }
    text { fill: #9ca3af; }
    .name { fill: #f9fafb; }
    rect { fill: #1f2937; stroke: #6b7280; }
    .source rect { fill: #172554; stroke: #60a5fa; }
    .sink rect { fill: #052e16; stroke: #4ade80; }
  }`

/** @returns An SVG document, in light and dark; a node's whole declaration is its tooltip. */
export function drawPipeline(pipeline: Pipeline): string {
  const boxes = placed(pipeline)
  const all = [...boxes.values()]
  const width = Math.max(...all.map(({ x }) => x)) + WIDTH + MARGIN
  const height = Math.max(...all.map(({ y }) => y)) + HEIGHT + MARGIN
  const lines = all.flatMap((to) => inputsOf(to.node).map((input) => lineOf(boxes.get(input)!, to)))
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img">`,
    `<title>${escaped(`The pipeline ${pipeline.name}`)}</title>`,
    `<style>${STYLE}\n</style>`,
    ...lines,
    ...all.map(boxOf),
    '</svg>\n',
  ].join('\n')
}
