import type { Pipeline, PipelineStage } from '../../api/contract/overview.ts'
import { lookAgain, pipeline, pulseProblem, rates, stepsShown, usePulse } from '../data/pulse.ts'
import { SMOOTHED, type StageName, smoothLine, smoothed } from '../data/rates.ts'
import { Icon } from '../parts/icons.tsx'
import { Amount } from '../parts/quantity.tsx'
import { Spark } from '../parts/spark.tsx'
import { Empty, ProblemBox } from '../parts/states.tsx'
import { countText, lagQuantity, rateText } from '../text/numbers.ts'

const STAGES: readonly { stage: StageName; name: string; does: string }[] = [
  { stage: 'bridge', name: 'Bridge', does: 'takes readings by MQTT and puts them into Kafka' },
  { stage: 'processor', name: 'Processor', does: 'computes windows, baselines and anomalies' },
  { stage: 'questdb', name: 'QuestDB', does: 'stores rows for queries and charts' },
  { stage: 'live', name: 'Live feed', does: 'sends what happens to open pages' },
]

/** How every stage of the pipeline does, from meters to this page. */
export function PipelinePage() {
  usePulse()
  const now = pipeline.value
  const problem = pulseProblem.value
  return (
    <div class="page">
      <div class="page-head">
        <h1>Pipeline</h1>
        <Summary pipeline={now} />
      </div>
      {problem === undefined ? null : (
        <ProblemBox problem={problem} retry={lookAgain} slim={now !== undefined} />
      )}
      <ol class="stages">
        {STAGES.map(({ stage, name, does }) => (
          <Stage
            key={stage}
            name={name}
            does={does}
            state={now?.stages.find((one) => one.stage === stage)}
            known={rates.value[stage]}
          />
        ))}
      </ol>
      <DeadLetters letters={now?.deadLetters} />
    </div>
  )
}

function Summary({ pipeline: now }: { readonly pipeline: Pipeline | undefined }) {
  if (now === undefined) return <p class="muted">Looking at the stages</p>
  const away = now.stages.filter(({ ready }) => !ready).length
  if (away === 0) {
    return (
      <p class="level good">
        <Icon name="check" /> All stages are ready
      </p>
    )
  }
  return (
    <p class="level poor">
      <Icon name="alert" /> {away} of {now.stages.length} stages {away === 1 ? 'is' : 'are'} not
      ready
    </p>
  )
}

interface StageProps {
  readonly name: string
  readonly does: string
  /** Undefined: not known yet. */
  readonly state: PipelineStage | undefined
  readonly known: readonly (number | null)[]
}

function Stage({ name, does, state, known }: StageProps) {
  const rate = smoothed(known, SMOOTHED)
  const isReady = state?.ready ?? true
  const unit = state?.unit ?? ''
  return (
    <li class={`panel stage ${isReady ? '' : 'not-ready'}`}>
      <div class="stage-head">
        <h2>{name}</h2>
        {state === undefined ? null : (
          <span class={`level ${isReady ? 'good' : 'poor'}`}>
            <Icon name={isReady ? 'check' : 'alert'} /> {isReady ? 'ready' : 'not ready'}
          </span>
        )}
      </div>
      <p class="muted stage-does">{does}</p>
      <p class="tile-value">
        {rate === null ? '–' : rateText(rate)}
        <span class="unit"> {unit === '' ? '' : `${unit}/s`}</span>
      </p>
      <div class="stage-strip">
        <Spark
          values={smoothLine(known, SMOOTHED)}
          steps={stepsShown(known)}
          label={`${name}, ${unit} a second over the last minutes`}
        />
      </div>
      <StageFacts state={state} />
      {state === undefined || state.reasons.length === 0 ? null : (
        <ul class="reasons">
          {state.reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      )}
    </li>
  )
}

function StageFacts({ state }: { readonly state: PipelineStage | undefined }) {
  const { total = null, lagRecords = null, lagSeconds = null } = state ?? {}
  return (
    <dl class="facts">
      <div>
        <dt>Behind</dt>
        <dd>{lagRecords === null ? '–' : `${countText(lagRecords)} records`}</dd>
      </div>
      <div>
        <dt>Lag</dt>
        <dd>
          <Amount of={lagQuantity(lagSeconds)} />
        </dd>
      </div>
      <div>
        <dt>Since it started</dt>
        <dd>{total === null ? '–' : countText(total)}</dd>
      </div>
    </dl>
  )
}

function DeadLetters({ letters }: { readonly letters: Pipeline['deadLetters'] | undefined }) {
  const some = letters?.filter(({ total }) => total > 0) ?? []
  return (
    <section class="panel" aria-label="Dead letters">
      <div class="toolbar">
        <h2>Dead letters</h2>
        <p class="muted">What could not become a reading, kept with its bytes and its reason</p>
      </div>
      {letters !== undefined && some.length === 0 ? (
        <Empty title="None since the bridges started" />
      ) : (
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">Reason</th>
              <th scope="col" class="right">
                Since the bridges started
              </th>
            </tr>
          </thead>
          <tbody>
            {some
              .toSorted((a, b) => b.total - a.total)
              .map(({ reason, total }) => (
                <tr key={reason}>
                  <td>
                    <code>{reason}</code>
                  </td>
                  <td class="right">{countText(total)}</td>
                </tr>
              ))}
          </tbody>
        </table>
      )}
      <p class="panel-foot muted">
        To see them: <code>npm run -s meterloom -- dead-letters list</code>
      </p>
    </section>
  )
}
