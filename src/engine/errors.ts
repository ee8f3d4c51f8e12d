import { errorTable } from '../kernel/errors.ts'

export const engineErrors = errorTable('engine', {
  badOption: {
    domain: 'internal',
    retryable: false,
    message: (f: { node: string; option: string; value: number; wants: string }) =>
      `${f.node}: ${f.option} is ${f.value}, but must be ${f.wants}`,
  },
  badName: {
    domain: 'internal',
    retryable: false,
    message: (f: { name: string; why: string }) =>
      `'${f.name}' cannot name a node: ${f.why}; a name is its state's name for ever`,
  },
  outsideTopology: {
    domain: 'internal',
    retryable: false,
    message: (f: { name: string }) => `node '${f.name}' is made outside of topology(…)`,
  },
  differentSources: {
    domain: 'internal',
    retryable: false,
    message: (f: { topologies: string }) =>
      `${f.topologies} do not read one source: fuse only what reads the same topic`,
  },
  nothingToDo: {
    domain: 'internal',
    retryable: false,
    message: (f: { pipeline: string }) =>
      `${f.pipeline} has no sink: a pipeline runs what its tables and logs need, and nothing else`,
  },
  listFull: {
    domain: 'internal',
    retryable: false,
    message: (f: { slot: number; max: number }) =>
      `the list of slot ${f.slot} holds ${f.max} entries, the most that its operator declared`,
  },
  stuck: {
    domain: 'internal',
    retryable: false,
    message: (f: { what: string; steps: number }) =>
      `the driver waited for ${f.what}, and nothing more comes after ${f.steps} steps: a promise ` +
      'of the engine waits for nobody, or for a clock that is not handed in',
  },
})
