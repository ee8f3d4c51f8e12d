import { setTimeout as sleep } from 'node:timers/promises'
import { readdirSync } from 'node:fs'
import type { Addresses } from '../../src/kernel/addresses.ts'
import type { Config } from '../../src/kernel/config.ts'
import type { Scope } from '../support/database.ts'
import { residentMb } from '../support/processes.ts'
import { type SpawnedRole, spawnRole } from '../support/roles.ts'
import type { Order } from './failpoint.ts'
import { roleEnvironment } from './failpoints.ts'

const RESTART_MS = 500
const OUTPUT_SHOWN = 2_000

/**
 * A role as its supervisor keeps it: when it ends by itself it is started again, and that is noted.
 */
export class Kept {
  readonly name: string
  /** How it ended where nobody had asked for it. */
  readonly unasked: string[] = []
  rssMbMax = 0
  private readonly options: KeptOptions
  private spawned: SpawnedRole
  private isAsked = false
  private config: Config & Addresses

  constructor(options: KeptOptions) {
    this.options = options
    this.name = options.name
    this.config = options.config
    this.spawned = this.spawn()
  }

  get pid(): number {
    return this.spawned.pid
  }

  get opsUrl(): string {
    return this.spawned.opsUrl
  }

  /** Resolves when the process that runs now is gone. */
  get gone(): Promise<number> {
    return this.spawned.gone
  }

  output(): string {
    return this.spawned.output()
  }

  private spawn(order?: Order): SpawnedRole {
    const { scope, role } = this.options
    this.isAsked = order?.signal === 'SIGKILL'
    const spawned = spawnRole(scope, role, this.config, roleEnvironment(order))
    void spawned.gone.then(async (code) => {
      if (this.isAsked || spawned !== this.spawned || this.options.isOver()) return
      const output = spawned.output().slice(-OUTPUT_SHOWN)
      const text = `${this.name} ended by itself with ${code}: ${output}`
      this.unasked.push(text)
      this.options.onUnasked(text)
      await sleep(RESTART_MS)
      if (spawned === this.spawned && !this.options.isOver()) this.spawned = this.spawn()
    })
    return spawned
  }

  /** Starts it anew; with an order it ends or stops itself at that place. */
  start(order?: Order): void {
    this.spawned = this.spawn(order)
  }

  /** From its next start on. */
  reconfigure(changes: Partial<Config>): void {
    this.config = { ...this.config, ...changes } as Config & Addresses
  }

  kill(): Promise<void> {
    this.isAsked = true
    return this.spawned.kill()
  }

  /** SIGTERM, so that it hands over. */
  stop(): Promise<number> {
    this.isAsked = true
    return this.spawned.stop()
  }

  pause(): void {
    this.spawned.pause()
  }

  resume(): void {
    this.spawned.resume()
  }

  /** Notes how much memory it has now. */
  look(): void {
    try {
      this.rssMbMax = Math.max(this.rssMbMax, residentMb([this.pid]))
    } catch {
      // It is gone at the moment.
    }
  }

  /** Open files and sockets; 0 where it is gone. */
  openFiles(): number {
    try {
      return readdirSync(`/proc/${this.pid}/fd`).length
    } catch {
      return 0
    }
  }
}

interface KeptOptions {
  readonly scope: Scope
  readonly name: string
  readonly role: 'bridge' | 'processor'
  readonly config: Config & Addresses
  readonly isOver: () => boolean
  readonly onUnasked: (text: string) => void
}
