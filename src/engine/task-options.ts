import type { Topics } from '../log/topics.ts'
import type { Registry } from '../registry/registry.ts'
import type { Codecs } from '../schemas/codecs.ts'
import type { Pipeline } from './pipeline.ts'
import type { Outputs } from './rows.ts'
import type { TableFeed } from './tables/table-feed.ts'

export interface TaskOptions {
  readonly pipeline: Pipeline
  readonly partition: number
  /** How many partitions the input topic has. */
  readonly partitions: number
  readonly epoch: number
  readonly registry: Registry
  readonly codecs: Codecs
  readonly topics: Topics
  readonly outputs: Outputs
  /** The records of lookup tables; needed where the pipeline has any. */
  readonly feed?: TableFeed
  /** Hours of append time after which a series that says nothing is forgotten. */
  readonly retentionHours?: number
}
