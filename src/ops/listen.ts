import { messageOf } from '../kernel/errors.ts'
import { opsErrors } from './errors.ts'

export interface ListenPlace {
  readonly role: string
  readonly host: string
  readonly port: number
  /** The setting that moves the port. */
  readonly setting: string
}

/** What a failed `listen` means for a person. @returns ops.portTaken or ops.cannotListen */
export function listenError(place: ListenPlace, error: unknown): Error {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') return opsErrors.portTaken(place, error)
  return opsErrors.cannotListen({ ...place, why: messageOf(error) }, error)
}
