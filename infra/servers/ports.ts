import { createServer } from 'node:net'
import { messageOf } from '../../src/kernel/errors.ts'
import { serverErrors } from './errors.ts'
import type { PortClaim } from './server.ts'

const HOST = '127.0.0.1'

/** Opens a listener: the only question to the kernel whose answer is not a guess. */
function listenOn(port: number, host = HOST): Promise<{ port: number; close(): Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address()
      if (address === null || typeof address === 'string') throw new TypeError('no TCP address')
      const close = () => new Promise<void>((done) => server.close(() => done()))
      resolve({ port: address.port, close })
    })
  })
}

/**
 * @throws servers.portTaken or servers.cannotListen, naming the port and the setting that moves it.
 */
export async function assertPortsFree(server: string, claims: readonly PortClaim[]): Promise<void> {
  for (const { port, setting, host = HOST } of claims) {
    try {
      await (await listenOn(port, host)).close()
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EADDRINUSE')
        throw serverErrors.portTaken({ server, host, port, setting }, error)
      throw serverErrors.cannotListen({ server, host, port, setting, why: messageOf(error) }, error)
    }
  }
}

/**
 * Ports of 127.0.0.1 on which nobody listens now, all different. Another process may take one
 * before its user does; that shows as servers.portTaken.
 */
export async function freePorts(count: number): Promise<number[]> {
  const listeners = await Promise.all(Array.from({ length: count }, () => listenOn(0)))
  await Promise.all(listeners.map((listener) => listener.close()))
  return listeners.map((listener) => listener.port)
}
