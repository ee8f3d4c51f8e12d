import assert from 'node:assert/strict'
import test from 'node:test'
import { assertEditable, runSabotage } from './run-sabotage.ts'
import { SABOTAGES } from './sabotages.ts'

/** Found by checks that take a second and no server; all of them are `npm run test:sabotage`. */
const QUICK = [
  'acknowledge before produce',
  'quality ignored',
  'revision constant',
  'restated verdict not retracted',
  'output without its own source position',
]

test('what a sabotage changes stands in its file, once', () => {
  assert.ok(SABOTAGES.length >= 12)
  for (const sabotage of SABOTAGES) assertEditable(sabotage)
})

for (const name of QUICK) {
  test(`the check finds: ${name}`, async () => {
    const sabotage = SABOTAGES.find((each) => each.name === name)
    assert.ok(sabotage, 'it is in the list')
    const { verdict, output } = await runSabotage(sabotage)
    assert.equal(verdict, 'red', output)
  })
}
