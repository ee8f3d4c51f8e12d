import assert from 'node:assert/strict'
import test from 'node:test'
import { minutes, seconds } from '../../src/kernel/time.ts'
import { testRegistry } from '../support/registry.ts'
import type { Registry } from '../../src/registry/registry.ts'
import { drive } from '../support/drive.ts'
import { aReading, START } from '../support/readings.ts'

/** Amounts of 5, 60 and 1,440 minutes that bear the time of their end. */
function labelledByEnd(lengthMicros: number): Registry {
  const registry = testRegistry()
  return {
    ...registry,
    channel: (tenant, meterId, channel) => ({
      ...registry.channel(tenant, meterId, channel),
      ...(channel === 'energy_wh' ? { label: 'end' as const, lengthMicros } : {}),
    }),
  }
}

for (const length of [5, 60, 1_440]) {
  test(`an amount of ${length} min labelled by its end is found as late as any other`, async () => {
    const driver = drive({ registry: labelledByEnd(minutes(length)) })
    const begin = START + minutes(3 * 1_440)
    const power = (minute: number) => aReading('m', 'power_w', begin + minutes(minute), 1)
    const amount = (minute: number) => aReading('m', 'energy_wh', begin + minutes(minute), 100)
    // The meter's time goes on by its power; amounts come in order, then one 55 minutes too late.
    for (let minute = 0; minute <= 300; minute++) {
      driver.append([power(minute)])
      if (minute % 5 === 0 && minute !== 240) driver.append([amount(minute)])
    }
    driver.append([amount(240)])
    await driver.run()
    driver.advanceAppendTime(seconds(20))
    await driver.run()
    const place = begin + minutes(240 - length)
    for (const [width, micros] of [
      ['1m', minutes(1)],
      ['15m', minutes(15)],
      ['1h', minutes(60)],
    ] as const) {
      const start = Math.floor(place / micros) * micros
      const row = driver
        .rows('windows')
        .find((r) => r['channel'] === 'energy_wh' && r['width'] === width && r['ts'] === start)
      const amounts = Math.max(1, micros / minutes(5))
      assert.deepEqual(
        [row?.['count'], row?.['energy_wh']],
        [amounts, 100 * amounts],
        `${width} window of the late amount`,
      )
    }
    assert.equal(driver.counts[0]!.beyondHorizon, 0)
  })
}
