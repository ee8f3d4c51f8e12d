import type { Pipeline } from '../../src/engine/dsl.ts'
import type { Registry } from '../../src/registry/registry.ts'
import type { Codecs } from '../../src/schemas/codecs.ts'

/** What is simulated. */
export interface Subject {
  readonly pipeline: Pipeline
  readonly registry: Registry
  readonly codecs: Codecs
}

/** What must hold does not. */
export class Violation extends Error {}
