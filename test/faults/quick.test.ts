import assert from 'node:assert/strict'
import test from 'node:test'
import { runScenarios } from './run-scenarios.ts'
import { QUICK } from './sizes.ts'

// Goal: a bridge, processors and a QuestDB that are killed lose, double and change nothing. The
// full form, and the other scenarios, are `npm run test:faults`.
const results = await runScenarios({
  ...{ only: [1, 2, 5], isQuick: true, times: 1, seed: 1, size: QUICK },
  say: (text) => console.log(text),
})
for (const { scenario, name, failures, reached, runs } of results) {
  test(`${scenario} ${name}: nothing is lost, doubled or different`, () => {
    assert.deepEqual(failures, [])
    assert.equal(reached, runs)
  })
}
