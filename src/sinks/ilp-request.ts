import http from 'node:http'
import https from 'node:https'
import { messageOf } from '../kernel/errors.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { QuestdbAddress } from './questdb-http.ts'

/**
 * What became of one POST of rows:
 * - acknowledged: in the table's WAL.
 * - refused: the rows cannot be taken as they are; sending them again would not help.
 * - failed: it did not take them, or nobody knows. `unknown`: it may have taken them, or may do so
 *   yet.
 */
export type Outcome =
  | { readonly kind: 'acknowledged' }
  | { readonly kind: 'refused'; readonly status: number; readonly body: string }
  | { readonly kind: 'failed'; readonly unknown: boolean; readonly detail: string }

/** 408 and 429 ask for patience; what else begins with 4 is about the request itself. */
function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429
}

/** Below the 5 s after which QuestDB closes an idle connection. */
const IDLE_MS = 3_000
const BODY_CHARS_MAX = 64 * 1024

export interface IlpClient {
  /**
   * Never rejects: every end is an outcome. `stop` ends it as failed. `mayEnd` is asked when all
   * but the last byte has left the process: without that byte no server takes any of it.
   */
  post(body: Buffer, stop: AbortSignal, mayEnd?: () => boolean): Promise<Outcome>
  close(): void
}

/**
 * Posts to QuestDB's `/write`. Each request has one deadline, from its first byte to the last of
 * the answer, so that a server that hangs is no server that is waited for.
 */
export function ilpClient(address: QuestdbAddress, options: { timeoutMs: number }): IlpClient {
  const url = new URL('/write', address.origin)
  const { Agent, request } = url.protocol === 'https:' ? https : http
  // The agent's timeout closes connections that idle; requests have a deadline of their own.
  const agent = new Agent({ keepAlive: true, timeout: IDLE_MS })

  function post(body: Buffer, stop: AbortSignal, mayEnd = () => true): Promise<Outcome> {
    return new Promise((resolve) => {
      const headers = { ...address.headers, 'content-length': body.length }
      const sent = request(url, { method: 'POST', agent, headers, signal: stop })
      const deadlineMs = options.timeoutMs + body.length / LIMITS.questdbWriteBytesPerMs
      const deadline = setTimeout(() => {
        sent.destroy(new Error(`no answer within ${Math.round(deadlineMs)} ms`))
      }, deadlineMs)
      const end = (outcome: Outcome) => {
        clearTimeout(deadline)
        resolve(outcome)
      }
      sent.on('error', (error: NodeJS.ErrnoException) => {
        // Refused before there was a connection: nothing can have been taken.
        const unknown = error.code !== 'ECONNREFUSED' && error.code !== 'ENOTFOUND'
        end({ kind: 'failed', unknown, detail: messageOf(error) || (error.code ?? 'error') })
      })
      sent.on('response', (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          if (text.length < BODY_CHARS_MAX) text += chunk
        })
        response.on('error', (error) => {
          end({ kind: 'failed', unknown: true, detail: messageOf(error) })
        })
        response.on('end', () => end(outcomeOf(response.statusCode ?? 0, text)))
      })
      sent.write(body.subarray(0, -1), () => {
        if (mayEnd()) sent.end(body.subarray(-1))
        else sent.destroy(new Error('not ours to send any more'))
      })
    })
  }

  return { post, close: () => agent.destroy() }
}

function outcomeOf(status: number, body: string): Outcome {
  if (status >= 200 && status < 300) return { kind: 'acknowledged' }
  if (isRefusal(status)) return { kind: 'refused', status, body }
  // A server that fails in the middle may have committed what it then could not answer for.
  return { kind: 'failed', unknown: true, detail: `status ${status}: ${body.trim().slice(0, 500)}` }
}
