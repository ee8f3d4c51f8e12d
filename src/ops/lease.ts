import { createHash } from 'node:crypto'
import pg from 'pg'
import { messageOf } from '../kernel/errors.ts'
import { LIMITS } from '../kernel/limits.ts'

/**
 * A lease: of all processes that want one name, one holds it. It is an advisory lock of a Postgres
 * session, so that it is free as soon as its holder's connection is gone.
 *
 * A holder that is cut off from Postgres learns of it within about `LIMITS.leaseCheckMs` and until then
 * may overlap with the next one: what a lease guards must bear being done twice.
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

export function takeLease({ databaseUrl, name, onHeld }: LeaseOptions): Lease {
  const key = lockKey(name)
  let client: pg.Client | undefined
  let tenure: AbortController | undefined
  let problem: string | undefined = 'it has not answered yet'
  let released = false
  let timer: NodeJS.Timeout | undefined

  async function lose(reason: string | undefined): Promise<void> {
    problem = reason
    tenure?.abort()
    tenure = undefined
    const old = client
    client = undefined
    // Its session may hold the lock still: closing it is what frees it.
    await old?.end().catch(() => undefined)
  }

  async function connect(): Promise<pg.Client> {
    const fresh = new pg.Client({
      connectionString: databaseUrl,
      application_name: `meterloom lease ${name}`,
      connectionTimeoutMillis: LIMITS.leaseCheckMs,
      query_timeout: LIMITS.leaseCheckMs,
      keepAlive: true,
    })
    fresh.on('error', (error) => {
      if (fresh === client) void lose(messageOf(error))
    })
    await fresh.connect()
    return fresh
  }

  async function check(): Promise<void> {
    try {
      client ??= await connect()
      const query = tenure
        ? 'select true as held'
        : `select pg_try_advisory_lock(${key}::bigint) as held`
      const { rows } = await client.query<{ held: boolean }>(query)
      problem = undefined
      if (rows[0]?.held && !tenure && !released) {
        tenure = new AbortController()
        onHeld(tenure.signal)
      }
    } catch (error) {
      await lose(messageOf(error))
    }
  }

  async function turn(): Promise<void> {
    await check()
    if (!released) {
      timer = setTimeout(() => {
        current = turn()
      }, LIMITS.leaseCheckMs)
    }
  }
  let current = turn()

  return {
    get held() {
      return tenure !== undefined
    },
    get problem() {
      return problem
    },
    async release() {
      released = true
      clearTimeout(timer)
      await current
      await lose(undefined)
    },
  }
}
