import { readFileSync } from 'node:fs'
import { messageOf } from '../../src/kernel/errors.ts'
import { serverErrors } from './errors.ts'
import { runOnce } from './run-once.ts'
import { SETPRIV } from './spawn.ts'

/**
 * Whom Postgres runs as: us, or the system user `postgres` where we are root, as whom Postgres
 * refuses to run.
 */
export interface PostgresUser {
  /** Undefined where it is us. */
  readonly ids: { readonly uid: number; readonly gid: number } | undefined
  /** Options of setpriv, see `Command`. */
  readonly rights: readonly string[]
}

const USER = 'postgres'

/** CAP_DAC_OVERRIDE is bit 1 of the effective capabilities. */
function canPassOn(): boolean {
  const status = readFileSync('/proc/self/status', 'utf8')
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'
  return (BigInt(`0x${effective}`) & 2n) !== 0n
}

async function idOf(flag: '-u' | '-g'): Promise<number> {
  return Number(await runOnce('postgres', { program: 'id', args: [flag, USER] }))
}

/** @throws servers.noPostgresUser */
export async function postgresUser(): Promise<PostgresUser> {
  if (process.getuid?.() !== 0) return { ids: undefined, rights: [] }
  if (SETPRIV === undefined) throw serverErrors.noPostgresUser({ reason: 'there is no setpriv' })
  try {
    await idOf('-u')
  } catch {
    try {
      await runOnce('postgres', {
        program: '/usr/sbin/useradd',
        args: ['--system', '--user-group', '--no-create-home', '--shell', '/bin/false', USER],
      })
    } catch (error) {
      throw serverErrors.noPostgresUser({ reason: messageOf(error) }, error)
    }
  }
  const ids = { uid: await idOf('-u'), gid: await idOf('-g') }
  // A checkout below /root is closed to other users. This one capability lets Postgres reach its
  // programs and its data there, so that neither has to be copied to a place of its own.
  const capability = canPassOn()
    ? ['--inh-caps', '+dac_override', '--ambient-caps', '+dac_override']
    : []
  const user = ['--reuid', String(ids.uid), '--regid', String(ids.gid), '--clear-groups']
  return { ids, rights: [...user, ...capability] }
}
