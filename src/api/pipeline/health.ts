import type { Pipeline, PipelineStage } from '../contract/overview.ts'
import type { PeerReport } from './peers.ts'
import type { Sample, Samples } from './samples.ts'

/** What the api itself knows beside what its peers say. */
export interface OwnFacts {
  readonly samples: Samples
  /** Why the live feed does not do its work; undefined where it does. */
  readonly liveProblem: string | undefined
  /** Why QuestDB does not answer; undefined where it does. */
  readonly storeProblem: string | undefined
}

type Named = (report: PeerReport) => readonly Sample[]

const named =
  (name: string): Named =>
  ({ samples }) =>
    samples?.of(name) ?? []

/** Null where no role tells of it. */
function totalled(reports: readonly PeerReport[], name: string): number | null {
  const all = reports.flatMap(named(name))
  return all.length === 0 ? null : all.reduce((sum, { value }) => sum + value, 0)
}

function highest(reports: readonly PeerReport[], name: string): number | null {
  const all = reports.flatMap(named(name))
  return all.length === 0 ? null : Math.max(...all.map(({ value }) => value))
}

/** How far the windows are behind the log, seconds: of the slowest processor. */
export function processorLag(reports: readonly PeerReport[]): number | null {
  return highest(reports, 'meterloom_engine_append_lag_seconds')
}

/** What processors tell of QuestDB begins so; it is QuestDB's stage that is not ready. */
const OF_QUESTDB = /^questdb: /

/** The stages in the order of a reading's way, and what went another way. */
export function pipelineOf(
  reports: readonly PeerReport[],
  own: OwnFacts,
): Pick<Pipeline, 'stages' | 'deadLetters'> {
  const of = (role: string) => reports.filter((report) => report.role === role)
  const bridges = of('bridge')
  const processors = of('processor')
  return {
    stages: [
      stage('bridge', 'readings', reasonsOf('bridge', reports), {
        total: totalled(bridges, 'meterloom_bridge_readings_total'),
        lagRecords: totalled(bridges, 'meterloom_bridge_in_flight'),
      }),
      stage('processor', 'records', reasonsOf('processor', reports), {
        total: totalled(processors, 'meterloom_engine_records_total'),
        lagRecords: totalled(of('worker'), 'meterloom_consumer_lag_records'),
        lagSeconds: processorLag(processors),
      }),
      stage('questdb', 'rows', storeReasons(processors, own), {
        total: totalled(processors, 'meterloom_questdb_rows_total'),
      }),
      liveStage(own),
    ],
    deadLetters: deadLetters(bridges),
  }
}

function stage(
  name: PipelineStage['stage'],
  unit: string,
  reasons: readonly string[],
  figures: Partial<Pick<PipelineStage, 'total' | 'lagRecords' | 'lagSeconds'>>,
): PipelineStage {
  const unknown = { total: null, lagRecords: null, lagSeconds: null }
  const ready = reasons.length === 0
  return { stage: name, ready, reasons: [...reasons], unit, ...unknown, ...figures }
}

/** A role that nobody knows of may be this one, where no other is. */
function reasonsOf(role: string, reports: readonly PeerReport[]): readonly string[] {
  const known = reports.filter((report) => report.role === role)
  const asked = known.length > 0 ? known : reports.filter((report) => report.role === undefined)
  if (asked.length === 0) return [`no ${role} is known: name it in READY_URLS`]
  return asked.flatMap(({ name, reasons }) =>
    reasons
      .filter((reason) => !OF_QUESTDB.test(reason))
      .map((reason) => (name === role ? reason : `${name}: ${reason}`)),
  )
}

function storeReasons(processors: readonly PeerReport[], { storeProblem }: OwnFacts) {
  const told = processors.flatMap(({ reasons }) => reasons.filter((one) => OF_QUESTDB.test(one)))
  const all = told.map((reason) => reason.replace(OF_QUESTDB, ''))
  return [...new Set(storeProblem === undefined ? all : [storeProblem, ...all])]
}

function liveStage({ samples, liveProblem }: OwnFacts): PipelineStage {
  const own: PeerReport = { name: 'api', role: 'api', reasons: [], samples }
  return stage('live', 'records', liveProblem === undefined ? [] : [liveProblem], {
    total: totalled([own], 'meterloom_live_records_total'),
    lagSeconds: highest([own], 'meterloom_live_lag_seconds'),
  })
}

function deadLetters(bridges: readonly PeerReport[]): Pipeline['deadLetters'] {
  const totals = new Map<string, number>()
  for (const { labels, value } of bridges.flatMap(named('meterloom_bridge_dead_letters_total'))) {
    const reason = labels.get('reason') ?? ''
    totals.set(reason, (totals.get(reason) ?? 0) + value)
  }
  return [...totals]
    .filter(([, total]) => total > 0)
    .map(([reason, total]) => ({ reason, total }))
    .sort((a, b) => b.total - a.total || (a.reason < b.reason ? -1 : 1))
}
