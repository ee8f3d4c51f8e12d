import { type Pipeline, fuse } from '../src/engine/dsl.ts'
import { benchPipeline } from './bench.ts'
import { TOPOLOGIES, pipeline } from './index.ts'
import { totalsPipeline } from './totals.ts'

const ALONE = TOPOLOGIES.filter(({ name }) => name !== pipeline.name)

/** By name: the pipelines that run, and each topology by itself with what it stands on. */
export const CATALOG: ReadonlyMap<string, Pipeline> = new Map(
  [pipeline, totalsPipeline, benchPipeline, ...ALONE.map((one) => fuse(one.name, [one]))].map(
    (one) => [one.name, one],
  ),
)
