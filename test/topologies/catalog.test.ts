import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { drawPipeline } from '../../src/engine/drawing.ts'
import { inputsOf } from '../../src/engine/nodes.ts'
import { CATALOG } from '../../topologies/catalog.ts'

const CLI = join(import.meta.dirname, '../../src/cli.ts')

function cli(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'topology', ...args], {
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

const numbers = (text: string, name: string) =>
  Number(new RegExp(` ${name}="([\\d.]+)"`).exec(text)![1])

for (const [name, pipeline] of CATALOG) {
  test(`the picture of ${name} has every node once, apart from the others`, () => {
    const svg = drawPipeline(pipeline)
    const rects = svg.match(/<rect [^>]*>/g)!.map((rect) => ({
      left: numbers(rect, 'x'),
      top: numbers(rect, 'y'),
      right: numbers(rect, 'x') + numbers(rect, 'width'),
      bottom: numbers(rect, 'y') + numbers(rect, 'height'),
    }))
    assert.equal(rects.length, pipeline.nodes.length)
    for (const [i, a] of rects.entries()) {
      assert.ok(a.right < numbers(svg, 'width') && a.bottom < numbers(svg, 'height'))
      for (const b of rects.slice(i + 1)) {
        const apart = a.right < b.left || b.right < a.left || a.bottom < b.top || b.bottom < a.top
        assert.ok(apart, `${JSON.stringify(a)} and ${JSON.stringify(b)}`)
      }
    }
    for (const { id } of pipeline.nodes) assert.ok(svg.includes(`<title>${id}\n`), id)
    const reads = pipeline.nodes.reduce((sum, node) => sum + inputsOf(node).length, 0)
    assert.equal(svg.match(/<path d=/g)?.length ?? 0, reads)
  })
}

test('a topology is printed for people and for programs, and drawn into a file', (t) => {
  const printed = cli('print')
  assert.equal(printed.status, 0, printed.stderr)
  assert.match(printed.stdout, /^readings\/measured: series.*\n {2}readings\/raw-rows: table/)

  const { status, stdout } = cli('print', 'spikes', '--json')
  assert.equal(status, 0)
  const { nodes } = JSON.parse(stdout) as { nodes: { id: string; reads: string[] }[] }
  const spike = nodes.find(({ id }) => id === 'spikes/spike')
  assert.deepEqual(spike?.reads, ['rolling-baseline/baseline'])

  const folder = mkdtempSync(join(tmpdir(), 'meterloom-drawing-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'spikes.svg')
  assert.equal(cli('draw', 'spikes', '--out', file).status, 0)
  assert.match(readFileSync(file, 'utf8'), /^<svg xmlns=/)
})

test('a topology that is not there is named, with those that are', () => {
  const { status, stderr } = cli('print', 'nope')
  assert.equal(status, 2)
  assert.match(stderr, /'nope', but must be one of readings, totals, bench/)
  assert.doesNotMatch(stderr, /\n {4}at /)
})
