import assert from 'node:assert/strict'
import test from 'node:test'
import { decodePosition, isPast } from '../../src/log/position.ts'
import { SOURCE_HEADER } from '../../src/log/topics.ts'
import { drive } from '../support/drive.ts'
import { aMeter } from '../support/readings.ts'

test('each output record says which record of the input it is made of', async () => {
  const driver = drive()
  driver.append(aMeter('m-1').quarterHours(4, { power_w: 100, energy_wh: 2 }))
  await driver.run()
  let records = 0
  let last: ReturnType<typeof decodePosition>
  for await (const batch of driver.log.read({ topic: 'windows', partition: 0, from: 0 })) {
    for (let i = 0; i < batch.count; i++) {
      const position = decodePosition(batch.header(i, SOURCE_HEADER) ?? Buffer.alloc(0))
      assert.ok(position, 'it has a position')
      assert.ok(last === undefined || isPast(position, last), 'past that of the record before it')
      last = position
      records++
    }
  }
  assert.ok(records > 100, `only ${records} records`)
})
