import { createHash } from 'node:crypto'
import pg from 'pg'
import { messageOf } from '../kernel/errors.ts'
import { LIMITS } from '../kernel/limits.ts'

/**
 * A lease: of all processes that want one name, one holds it. It is an advisory lock of a Postgres
 * session, so that it is free as soon as its holder's connection is gone.
 *
 * A holder that is cut off from Postgres learns of it within about `LIMITS.leaseCheckMs` and until
 * then may overlap with the next one: what a lease guards must bear being done twice.
 */
export interface Lease {
  readonly held: boolean
  /** Why it is neither held nor waited for, such as that Postgres does not answer. */
  readonly problem: string | undefined
  release(): Promise<void>
}

export interface LeaseOptions {
  readonly databaseUrl: string
  readonly name: string
  /** Called each time the lease is won; the signal aborts when it is lost. */
  readonly onHeld: (lost: AbortSignal) => void
}

/** Postgres's lock keys are 64-bit numbers: the first bytes of the name's hash. */
function lockKey(name: string): string {
  return createHash('sha256')
    .update(`meterloom lease ${name}`)
    .digest()
    .readBigInt64BE(0)
    .toString()
}

/** Wants the lease from now on, until it is released. */
export function takeLease(options: LeaseOptions): Lease {
  return new SessionLease(options)
}

class SessionLease implements Lease {
  readonly #options: LeaseOptions
  #client: pg.Client | undefined
  /** Its signal aborts when the lease is lost; undefined while it is not held. */
  #tenure: AbortController | undefined
  #problem: string | undefined = 'it has not answered yet'
  #released = false
  #timer: NodeJS.Timeout | undefined
  #turn: Promise<void>

  constructor(options: LeaseOptions) {
    this.#options = options
    this.#turn = this.#check()
  }

  get held(): boolean {
    return this.#tenure !== undefined
  }

  get problem(): string | undefined {
    return this.#problem
  }

  async release(): Promise<void> {
    this.#released = true
    clearTimeout(this.#timer)
    await this.#turn
    await this.#lose(undefined)
  }

  async #lose(reason: string | undefined): Promise<void> {
    this.#problem = reason
    this.#tenure?.abort()
    this.#tenure = undefined
    const client = this.#client
    this.#client = undefined
    // Its session may hold the lock still: closing it is what frees it.
    await client?.end().catch(() => undefined)
  }

  async #connect(): Promise<pg.Client> {
    const { databaseUrl, name } = this.#options
    const client = new pg.Client({
      connectionString: databaseUrl,
      application_name: `meterloom lease ${name}`,
      connectionTimeoutMillis: LIMITS.leaseCheckMs,
      query_timeout: LIMITS.leaseCheckMs,
      keepAlive: true,
    })
    client.on('error', (error) => {
      if (client === this.#client) void this.#lose(messageOf(error))
    })
    await client.connect()
    return client
  }

  /** Asks for the lock where it is not held, and else whether the session still lives. */
  async #ask(): Promise<void> {
    this.#client ??= await this.#connect()
    const key = lockKey(this.#options.name)
    const wish = `select pg_try_advisory_lock(${key}::bigint) as held`
    const query = this.#tenure ? 'select true as held' : wish
    const { rows } = await this.#client.query<{ held: boolean }>(query)
    this.#problem = undefined
    if (rows[0]?.held && !this.#tenure && !this.#released) {
      this.#tenure = new AbortController()
      this.#options.onHeld(this.#tenure.signal)
    }
  }

  async #check(): Promise<void> {
    try {
      await this.#ask()
    } catch (error) {
      await this.#lose(messageOf(error))
    }
    if (this.#released) return
    this.#timer = setTimeout(() => {
      this.#turn = this.#check()
    }, LIMITS.leaseCheckMs)
  }
}
