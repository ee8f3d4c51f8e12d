/**
 * A server: a program that is not ours, run as our child, on 127.0.0.1 alone.
 *
 * - ready: it answers requests, asked in its own protocol.
 * - leftover: a process that an earlier run started and could not stop, since it was killed itself.
 */
export type ServerName = 'kafka' | 'questdb' | 'postgres'

export interface Server extends Service {
  readonly name: ServerName
}

/** What the supervisor keeps running: a server, or one of our own roles. */
export interface Service {
  readonly name: string
  /** The ports it listens on; the first is the one that clients use. */
  readonly claims: readonly PortClaim[]
  readonly port: number
  readonly logFile: string
  /** Undefined while it does not run. */
  readonly pid: number | undefined
  /** Ends what an earlier run left behind. @returns Whether there was anything. */
  endLeftover(): Promise<boolean>
  /**
   * Resolves when it is ready. May be called again after it has ended.
   *
   * @throws servers.portTaken, servers.exited, servers.notReady
   */
  start(): Promise<void>
  /** Ends it in order, and by force after its limit. Resolves when its process is gone. */
  stop(): Promise<void>
  /** Ends it by force. */
  kill(): Promise<void>
  /** Called with how it ended when it was ready, ends, and nobody called `stop`. */
  onDeath(listener: (how: string) => void): void
}

/** A port and the setting that moves it, for the error where it is taken. */
export interface PortClaim {
  readonly port: number
  /** 127.0.0.1 where it is not given. */
  readonly host?: string
  readonly setting: string
}

export interface Command {
  readonly program: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Options of setpriv: the rights that it runs with, where they are not ours. */
  readonly rights?: readonly string[]
}

/** What one kind of server says of itself; `server-process.ts` does the rest. */
export interface ServerSpec {
  readonly name: ServerName
  readonly claims: readonly PortClaim[]
  readonly stopSignal: NodeJS.Signals
  /** Files and formats, idempotent; before every start. */
  prepare(): Promise<void>
  command(): Command
  /** Rejects while the server does not answer. */
  probe(): Promise<void>
}
