import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { type Edit, editedEnvironment } from '../support/sabotage.ts'
import type { Order } from './failpoint.ts'
import { SHORT_SESSION } from './short-session.ts'

const FAILPOINT = pathToFileURL(join(import.meta.dirname, 'failpoint.ts')).href

/** Puts the watch of `failpoint.ts` between the engine and its log and tables. */
const WATCHED: readonly Edit[] = [
  {
    file: 'src/log/connect.ts',
    find: 'export function connectLog(',
    replace: `import { watchedLog } from '${FAILPOINT}'
export async function connectLog(...args) {
  return watchedLog(await plainConnectLog(...args))
}
function plainConnectLog(`,
  },
  {
    file: 'src/sinks/questdb.ts',
    find: 'export function questdbSink(',
    replace: `import { watchedSink } from '${FAILPOINT}'
export function questdbSink(...args) {
  return watchedSink(plainQuestdbSink(...args))
}
function plainQuestdbSink(`,
  },
]

/** The environment of a role under test; with an order, it ends or stops itself there. */
export function roleEnvironment(order?: Order): Record<string, string> {
  if (order === undefined) return editedEnvironment(SHORT_SESSION)
  return {
    ...editedEnvironment([...SHORT_SESSION, ...WATCHED]),
    METERLOOM_FAILPOINT: JSON.stringify(order),
  }
}
