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
  staleOwner: {
    domain: 'internal',
    retryable: false,
    message: (f: { what: string }) =>
      `${f.what} are not sent: their partitions may have another owner by now, who sends them`,
  },
  standsStill: {
    domain: 'internal',
    retryable: true,
    message: (f: { seconds: number; lag: number; seen: string }) =>
      `nothing was committed for ${f.seconds} s with ${f.lag} records to take in (${f.seen}): ` +
      'the process ends, so that it is started anew',
  },
  partitionsChanged: {
    domain: 'user',
    retryable: false,
    message: (f: { topic: string; before: number; found: number }) =>
      `topic ${f.topic} has ${f.found} partitions, and had ${f.before}: keys would change their ` +
      'partitions, and meters lose their state. Make the topics anew under another TOPIC_PREFIX ' +
      'with PARTITIONS at the count that is wanted, and replay into them',
  },
  badTableRow: {
    domain: 'user',
    retryable: false,
    message: (f: { topic: string; key: string; row: string }) =>
      `table ${f.topic} takes no row ${f.row} for ${f.key}: give all of its fields, in their ` +
      'types, and a validFrom where it is effective-dated and only there',
  },
  tableTooLarge: {
    domain: 'user',
    retryable: false,
    message: (f: { topic: string; max: number }) =>
      `table topic ${f.topic} has more than ${f.max} records, the most that a process keeps: ` +
      'lower its min.compaction.lag.ms, or write to it less often',
  },
  noSilence: {
    domain: 'internal',
    retryable: false,
    message: (f: { node: string; series: string }) =>
      `${f.node}: the lateness of ${f.series} tells of no silence; give it silence: 'registered'`,
  },
  listFull: {
    domain: 'internal',
    retryable: false,
    message: (f: { slot: number; max: number }) =>
      `the list of slot ${f.slot} holds ${f.max} entries, the most that its operator declared`,
  },
  snapshotBroken: {
    domain: 'external',
    retryable: true,
    message: (f: { partition: number; why: string }) =>
      `a snapshot of partition ${f.partition} is of no use: ${f.why}; the one before is taken, ` +
      'or the state is computed from the log again',
  },
  topologyChanged: {
    domain: 'user',
    retryable: false,
    message: (f: { partition: number; changes: string; nodes: string }) =>
      `the state of partition ${f.partition} was made by another topology: ${f.changes}. Start ` +
      `the processor once with DROP_STATE=${f.nodes} (meterloom processor --drop-state NODE) to ` +
      'begin these without their past, or with BACKFILL=true (--backfill) to compute all state ' +
      'again from the retained log',
  },
  stuck: {
    domain: 'internal',
    retryable: false,
    message: (f: { what: string; steps: number }) =>
      `the driver waited for ${f.what}, and nothing more comes after ${f.steps} steps: a promise ` +
      'of the engine waits for nobody, or for a clock that is not handed in',
  },
})
