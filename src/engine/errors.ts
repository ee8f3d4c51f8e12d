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
  tooManySamples: {
    domain: 'internal',
    retryable: false,
    message: (f: { series: string; samples: number }) =>
      `${f.series} holds ${f.samples} samples inside its horizon, which is the limit`,
  },
  listFull: {
    domain: 'internal',
    retryable: false,
    message: (f: { slot: number; max: number }) =>
      `the list of slot ${f.slot} holds ${f.max} entries, the most that its operator declared`,
  },
})
