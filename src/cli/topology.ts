import { writeFile } from 'node:fs/promises'
import type { Pipeline } from '../engine/dsl.ts'
import { cliErrors } from './errors.ts'
import { type CliIo, type Register, note, print } from './io.ts'

const HELP = `
Without a name it is 'readings', all that a processor computes of the readings. 'totals' is the
second stage, across meters; 'bench' is the benchmark's; the others are parts of 'readings', each
with what it stands on.

Examples:
  meterloom topology print
  meterloom topology print spikes --json
  meterloom topology draw --out readings.svg`

interface Flags {
  readonly out?: string
  readonly json?: boolean
}

export const register: Register = (program, io) => {
  const group = program.command('topology').description('What is computed, as text or as a picture')
  group
    .command('print')
    .argument('[name]', 'which one', 'readings')
    .description('A line for each node, below what it reads')
    .option('--json', 'for programs: nodes, what they read, and fingerprints')
    .option('--out <file>', 'write it there')
    .addHelpText('after', HELP)
    .action(async (name: string, flags: Flags) => {
      const pipeline = await pipelineOf(name)
      const { printPipeline } = await import('../engine/dsl.ts')
      const text = flags.json === true ? await asJson(pipeline) : printPipeline(pipeline)
      await give(io, flags, `${text}\n`)
    })
  group
    .command('draw')
    .argument('[name]', 'which one', 'readings')
    .description('A picture in SVG, for light and dark screens')
    .option('--out <file>', 'write it there')
    .addHelpText('after', HELP)
    .action(async (name: string, flags: Flags) => {
      const { drawPipeline } = await import('../engine/drawing.ts')
      await give(io, flags, drawPipeline(await pipelineOf(name)))
    })
}

async function pipelineOf(name: string): Promise<Pipeline> {
  const { CATALOG } = await import('../../topologies/catalog.ts')
  const pipeline = CATALOG.get(name)
  if (pipeline !== undefined) return pipeline
  const wants = `one of ${[...CATALOG.keys()].join(', ')}`
  throw cliErrors.badArgument({ option: 'the topology', value: name, wants })
}

async function asJson(pipeline: Pipeline): Promise<string> {
  const { inputsOf } = await import('../engine/nodes.ts')
  const nodes = pipeline.nodes.map((node) => ({
    id: node.id,
    kind: node.kind,
    declaration: node.declaration,
    reads: inputsOf(node).map(({ id }) => id),
    fingerprint: pipeline.fingerprint.get(node.id),
  }))
  return JSON.stringify({ name: pipeline.name, nodes })
}

async function give(io: CliIo, { out }: Flags, text: string): Promise<void> {
  if (out === undefined) {
    print(io, text.trimEnd())
    return
  }
  await writeFile(out, text)
  note(io, `written to ${out}`)
}
