import assert from 'node:assert/strict'
import test from 'node:test'
import { minutes } from '../../src/kernel/time.ts'
import { drive } from '../support/drive.ts'
import { aReading, START } from '../support/readings.ts'

for (const seq of [undefined, 3]) {
  const said = seq === undefined ? {} : { seq }
  test(`of two readings of one time and seq the better quality wins (seq ${seq})`, async () => {
    const driver = drive()
    const measured = (id: string) => aReading(id, 'power_w', START, 5, said)
    const suspect = (id: string) =>
      aReading(id, 'power_w', START, 9, { ...said, quality: 'SUSPECT' })
    driver.append([measured('a'), suspect('a'), suspect('b'), measured('b')])
    driver.append(['a', 'b'].map((id) => aReading(id, 'power_w', START + minutes(30), 0)))
    await driver.run()
    for (const id of ['a', 'b']) {
      const of = (table: string) =>
        driver.rows(table).find((row) => row['meter_id'] === id && row['ts'] === START)
      assert.equal(of('readings')?.['value'], 5, `${id}: the raw row`)
      assert.equal(of('windows')?.['sum'], 5, `${id}: its window`)
    }
  })
}

test('of two readings of one time the higher seq wins, whichever comes first', async () => {
  const driver = drive()
  const first = (id: string) => aReading(id, 'power_w', START, 9, { seq: 3 })
  const corrected = (id: string) =>
    aReading(id, 'power_w', START, 5, { seq: 4, quality: 'SUSPECT' })
  driver.append([first('a'), corrected('a'), corrected('b'), first('b')])
  driver.append(['a', 'b'].map((id) => aReading(id, 'power_w', START + minutes(30), 0)))
  await driver.run()
  for (const id of ['a', 'b']) {
    const of = (table: string) =>
      driver.rows(table).find((row) => row['meter_id'] === id && row['ts'] === START)
    assert.equal(of('readings')?.['value'], 5, `${id}: the raw row`)
    assert.equal(of('windows')?.['sum'], 5, `${id}: its window`)
  }
})
