import { parentPort } from 'node:worker_threads'
import { simulate } from './simulate.ts'

// Takes seeds until it is told that there are no more.
const port = parentPort!
port.on('message', (seed: number | null) => {
  if (seed === null) port.close()
  else void simulate(seed).then((outcome) => port.postMessage(outcome))
})
