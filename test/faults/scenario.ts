import type { Scene, SceneOptions } from './scene.ts'
import type { Size } from './scene.ts'

/** A way in which processes, servers or the network fail. */
export interface Scenario {
  /** Its number in `docs/faults.md`. */
  readonly number: number
  readonly name: string
  /** How often its fault is made, in the full and in the quick form. */
  readonly runs: { readonly full: number; readonly quick: number }
  /** Its servers lie on a disk of its own that can be filled. */
  readonly ownDisk?: boolean
  /** How many brokers its Kafka has; by default one. */
  readonly brokers?: number
  readonly size?: Partial<Size>
  /** What lies between the processors and QuestDB; closed after the scene. */
  readonly between?: (questdbUrl: string) => Promise<Between>
  run(scene: Scene, runs: number, isQuick: boolean): Promise<void>
}

export interface Between extends Pick<SceneOptions, 'questdbUrls'> {
  close(): Promise<void>
}
