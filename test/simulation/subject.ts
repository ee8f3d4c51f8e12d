import type { Registry } from '../../src/registry/registry.ts'
import type { Codecs } from '../../src/schemas/codecs.ts'

/** What all that is simulated is made of. */
export interface Subject {
  readonly registry: Registry
  readonly codecs: Codecs
}

/** What must hold does not. */
export class Violation extends Error {}
