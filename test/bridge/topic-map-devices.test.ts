import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseTime } from '../../src/bridge/formats/time-text.ts'
import { loadTopicMap } from '../../src/bridge/topic-map-file.ts'
import { readConfig } from '../../src/kernel/config.ts'
import { formatMicros } from '../../src/kernel/time.ts'
import { loadRegistry } from '../../src/registry/files.ts'
import { testDecoder, valuesOf } from '../support/decoder.ts'
import { testRegistry } from '../support/registry.ts'

// Goal: what Tasmota, Shelly Gen2 and Zigbee2MQTT really send becomes readings with the right times
// and units, by the committed topic map. The payloads have the form that users of these have
// posted.

const decoder = await testDecoder()
const berlin = testRegistry(['plug', 'z1'].map((meterId) => ({ meterId, zone: 'Europe/Berlin' })))
const config = readConfig({})
const topicMap = await loadTopicMap(config, await loadRegistry(config))
const inBerlin = await testDecoder({ topicMap, registry: berlin })

function read(topic: string, payload: string, by = decoder, receivedAt?: string) {
  const inbound = receivedAt === undefined ? {} : { receivedAtMicros: parseTime(receivedAt) }
  const { readings, deadLetters, ignored, raw } = by.decode(topic, payload, inbound)
  const [reading] = readings
  return {
    count: readings.length,
    meter: reading === undefined ? undefined : `${reading.tenant}/${reading.meterId}`,
    at: reading === undefined ? undefined : formatMicros(reading.at),
    values: valuesOf(reading),
    reasons: raw.reasons,
    detail: deadLetters[0]?.detail,
    ignored,
  }
}

describe('Tasmota', () => {
  const sensor = (time: string) =>
    `{"Time":${time},"Switch1":"ON","ENERGY":{"TotalStartTime":"2020-01-05T12:41:22",` +
    '"Total":14.68792,' +
    '"Yesterday":0.00001,"Today":0.00869,"Period": 1,"Power": 32,"ApparentPower":35,' +
    '"ReactivePower":16,' +
    '"Factor":0.89,"Voltage":238,"Current":0.148}}'

  test('a plug: register and gauges of one time', () => {
    const { meter, at, values } = read('tele/plug/SENSOR', sensor('"2026-04-04T17:01:33"'))
    assert.equal(meter, 'demo/plug')
    assert.equal(at, '2026-04-04T17:01:33.000000Z')
    assert.deepEqual(values, {
      energy_register_kwh: 14.68792,
      power_w: 32,
      power_apparent_va: 35,
      power_reactive_var: 16,
      power_factor: 0.89,
      voltage_v: 238,
      current_a: 0.148,
    })
  })
  test('a meter with two lines sends arrays beside one voltage', () => {
    const { values } = read(
      'tele/dual/SENSOR',
      '{"Time":"2026-09-18T11:19:21","ENERGY":{"TotalStartTime":"2026-09-16T00:00:00",' +
        '"Total":[2.813,0.254],' +
        '"Yesterday":[1.530,0.125],"Today":[0.772,0.059],"Power":[52,5],"ApparentPower":[66,10],' +
        '"ReactivePower":[40,9],"Factor":[0.79,0.50],"Voltage":235,"Current":[0.278,0.044],' +
        '"BL09XX":{"Temperature":46.5}}}',
    )
    assert.equal(values['energy_1_total_kwh'], 2.813)
    assert.equal(values['energy_2_total_kwh'], 0.254)
    assert.equal(values['power_2_w'], 5)
    assert.equal(values['voltage_v'], 235)
    assert.equal(values['current_1_a'], 0.278)
  })
  test('its time has no zone: the meter has', () => {
    const at = (time: string, receivedAt: string) =>
      read('tele/plug/SENSOR', sensor(time), inBerlin, receivedAt).at
    assert.equal(at('"2026-07-04T17:01:33"', '2026-07-04T15:01:34Z'), '2026-07-04T15:01:33.000000Z')
    assert.equal(at('"2026-12-04T17:01:33"', '2026-12-04T16:01:34Z'), '2026-12-04T16:01:33.000000Z')
    // The hour that October has twice: what is received in its second pass is of its second pass.
    assert.equal(at('"2026-10-25T02:30:00"', '2026-10-25T00:30:01Z'), '2026-10-25T00:30:00.000000Z')
    assert.equal(at('"2026-10-25T02:30:00"', '2026-10-25T01:30:01Z'), '2026-10-25T01:30:00.000000Z')
    const gap = read(
      'tele/plug/SENSOR',
      sensor('"2026-03-29T02:30:00"'),
      inBerlin,
      '2026-03-29T01:30:01Z',
    )
    assert.deepEqual(gap.reasons, ['payload.noSuchLocalTime'])
  })
  test('SetOption52 adds the zone, and Time 3 sends seconds', () => {
    for (const time of ['"2026-07-04T17:01:33+02:00"', '1783177293']) {
      const { at } = read('tele/plug/SENSOR', sensor(time), inBerlin)
      assert.equal(at, '2026-07-04T15:01:33.000000Z')
    }
  })
  test('a clock that NTP has not set yet is refused', () => {
    const { reasons } = read('tele/plug/SENSOR', sensor('"1970-01-01T00:00:14"'))
    assert.deepEqual(reasons, ['payload.tooEarly'])
  })
  test('what has no energy in it is ignored and counted', () => {
    const others: Record<string, string> = {
      'tele/plug/STATE': '{"Time":"2024-01-14T18:03:15","Uptime":"0T00:03:14","POWER":"ON"}',
      'tele/plug/LWT': 'Online',
      'tele/plug/SENSOR':
        '{"Time":"2021-03-13T09:20:30","DS18B20":{"Temperature":20.6},"TempUnit":"C"}',
      'stat/plug/RESULT': '{"EnergyTotal":{"Total":0.000,"Yesterday":0.000,"Today":0.000}}',
    }
    for (const [topic, payload] of Object.entries(others)) {
      const { count, ignored, reasons } = read(topic, payload)
      assert.deepEqual([count, ignored, reasons], [0, 1, []], topic)
    }
  })
})

describe('Shelly Gen2 and later', () => {
  const frame = (method: string, params: string) =>
    `{"src":"shellypro3em-1","dst":"shellypro3em-1/events","method":"${method}","params":${params}}`
  const status = (params: string) => read('s-1/events/rpc', frame('NotifyStatus', params))

  test('a full status of a plug', () => {
    const { meter, at, values } = read(
      'shellyplusplugs-80646fd031f8/events/rpc',
      '{"src":"shellyplusplugs-80646fd031f8","dst":"shellyplusplugs-80646fd031f8/events",' +
        '"method":"NotifyFullStatus","params":{"ts":1698999954.77,"ble":{},' +
        '"cloud":{"connected":true},' +
        '"script:1":{"id":1,"running":true,"mem_used":2786},"switch:0":{"id":0, "source":"init", ' +
        '"output":true, "apower":0.0, "voltage":229.1, "current":0.000,' +
        ' "aenergy":{"total":30473.355,' +
        '"by_minute":[0.000,0.000,0.000],"minute_ts":1698999953},"temperature":{"tC":34.8,' +
        ' "tF":94.7}},' +
        '"sys":{"mac":"80646FD031F8","time":"09:25","unixtime":1698999954}}}',
    )
    assert.equal(meter, 'demo/shellyplusplugs-80646fd031f8')
    assert.equal(at, '2023-11-03T08:25:54.770000Z')
    assert.deepEqual(values, {
      switch_0_power_w: 0,
      switch_0_voltage_v: 229.1,
      switch_0_current_a: 0,
      switch_0_total_wh: 30473.355,
    })
  })
  test('a status that tells what has changed alone is a reading of just that', () => {
    const { at, values } = status('{"ts":1788945292.88,"switch:0":{"apower":11.5,"current":0.071}}')
    assert.equal(at, '2026-09-09T09:14:52.880000Z')
    assert.deepEqual(values, { switch_0_power_w: 11.5, switch_0_current_a: 0.071 })
    const energy = status(
      '{"ts":1698999960.13,"switch:1":{"id":1,"aenergy":{"by_minute":[854.637,13271.248,' +
        '14575.430],' +
        '"minute_ts":1698999959,"total":123.585},"ret_aenergy":{"total":0.000,' +
        '"minute_ts":1698999959}}}',
    )
    assert.deepEqual(energy.values, { switch_1_total_wh: 123.585, switch_1_returned_total_wh: 0 })
  })
  test('a Pro 3EM: three phases, their total, and a neutral that is not measured', () => {
    const { values } = status(
      '{"ts":1678699437.96,"em:0":{"id":0,"a_act_power":2407.9,"a_aprt_power":2484.2,' +
        '"a_current":10.626,' +
        '"a_pf":0.97,"a_voltage":233.9,"b_act_power":408.8,"b_aprt_power":442.2,' +
        '"b_current":1.865,' +
        '"b_pf":-0.93,"b_voltage":237.1,"c_act_power":222.8,"c_aprt_power":263.3,' +
        '"c_current":1.111,' +
        '"c_pf":-0.88,"c_voltage":237.2,"n_current":null,"total_act_power":3039.524,' +
        '"total_aprt_power":3189.632,"total_current":13.602}}',
    )
    assert.equal(values['em_0_a_power_w'], 2407.9)
    assert.equal(values['em_0_b_power_factor'], -0.93)
    assert.equal(values['em_0_c_voltage_v'], 237.2)
    assert.equal(values['em_0_total_power_w'], 3039.524)
    assert.equal(values['em_0_total_power_apparent_va'], 3189.632)
    assert.equal(values['em_0_n_current_a'], undefined)
    assert.equal(Object.keys(values).length, 18)
  })
  test('its energy, once a minute', () => {
    const { values } = status(
      '{"ts":1678699440.9,"emdata:0":{"id":0,"a_total_act_energy":5631.61,' +
        '"a_total_act_ret_energy":0.00,' +
        '"b_total_act_energy":5934.31,"b_total_act_ret_energy":0.00,"c_total_act_energy":8703.38,' +
        '"c_total_act_ret_energy":0.00,"total_act":20269.29,"total_act_ret":0.00}}',
    )
    assert.equal(values['em_0_total_wh'], 20269.29)
    assert.equal(values['em_0_returned_total_wh'], 0)
    assert.equal(values['em_0_c_total_wh'], 8703.38)
    assert.equal(Object.keys(values).length, 8)
  })
  test('a meter of single phases', () => {
    const { values } = status(
      '{"ts":1733660000.5,"em1:1":{"id":1,"current":2.598,"voltage":234.9,"act_power":501.8,' +
        '"aprt_power":612.4,"pf":0.84,"freq":50,"calibration":"factory"},' +
        '"em1data:1":{"id":1,"total_act_energy":120.5,"total_act_ret_energy":3.25}}',
    )
    assert.equal(values['em1_1_power_w'], 501.8)
    assert.equal(values['em1_1_total_wh'], 120.5)
    assert.equal(values['em1_1_returned_total_wh'], 3.25)
  })
  test('buttons and connections are ignored and counted', () => {
    const others = [
      frame(
        'NotifyEvent',
        '{"ts":1643540082.66,"events":[{"component":"input:0","id":0,"event":"single_push",' +
          '"ts":1643540082.66}]}',
      ),
      frame('NotifyStatus', '{"ts":1698999957.05,"mqtt":{"connected":true}}'),
      frame(
        'NotifyStatus',
        '{"ts":1698999957.05,"switch:0":{"id":0,"output":true,"source":"MQTT"}}',
      ),
    ]
    for (const payload of others) {
      const { count, ignored, reasons } = read('s-1/events/rpc', payload)
      assert.deepEqual([count, ignored, reasons], [0, 1, []], payload)
    }
    assert.equal(read('s-1/status/switch:0', '{"id":0,"apower":11.5}').ignored, 1)
    assert.equal(read('s-1/online', 'true').ignored, 1)
  })
  test('a device that does not know the time yet is refused', () => {
    assert.deepEqual(status('{"ts":null,"switch:0":{"apower":1}}').reasons, ['payload.noTime'])
    assert.deepEqual(status('{"ts":5.12,"switch:0":{"apower":1}}').reasons, ['payload.tooEarly'])
  })
})

describe('Zigbee2MQTT', () => {
  const plug = (lastSeen: string) =>
    '{"child_lock":"UNLOCK","countdown":0,"current":0.07,"energy":12.05,"identify":null,' +
    lastSeen +
    '"indicator_mode":"off/on","linkquality":43,"power":16,"power_outage_memory":"off",' +
    '"state":"ON",' +
    '"switch_type_button":null,"update":{"installed_version":268449287,"state":"idle"},' +
    '"voltage":243}'
  const at = (lastSeen: string, receivedAt: string) =>
    read('zigbee2mqtt/z1', plug(lastSeen), decoder, receivedAt).at

  test('a plug', () => {
    const { meter, values } = read(
      'zigbee2mqtt/z1',
      plug('"last_seen":"2026-07-27T09:41:41+02:00",'),
    )
    assert.equal(meter, 'demo/z1')
    assert.deepEqual(values, {
      energy_register_kwh: 12.05,
      power_w: 16,
      voltage_v: 243,
      current_a: 0.07,
    })
  })
  test('each setting of last_seen, and none', () => {
    const received = '2026-07-27T07:41:42.123456Z'
    const is = '2026-07-27T07:41:41.000000Z'
    assert.equal(at('"last_seen":"2026-07-27T07:41:41.000Z",', received), is)
    assert.equal(at('"last_seen":"2026-07-27T09:41:41+02:00",', received), is)
    assert.equal(at('"last_seen":1785138101000,', received), is)
    assert.equal(at('', received), received)
  })
  test('last_seen that is relative is none', () => {
    const { reasons } = read('zigbee2mqtt/z1', plug('"last_seen":"2 seconds ago",'))
    assert.deepEqual(reasons, ['payload.badTime'])
  })
  test('the voltage of a battery is not that of the mains', () => {
    const sensor =
      '{"battery":100,"humidity":48.2,"last_seen":1785138101000,"linkquality":120,' +
      '"temperature":21.43,' +
      '"voltage":3005}'
    const { values } = read('zigbee2mqtt/sensor', sensor)
    assert.deepEqual(values, { humidity_percent: 48.2, temperature_c: 21.43 })
  })
  test('what has no reading in it is ignored and counted', () => {
    const others: Record<string, string> = {
      'zigbee2mqtt/bridge/state': '{"state":"online"}',
      'zigbee2mqtt/bridge/logging': '{"level":"info","message":"MQTT publish: ..."}',
      'zigbee2mqtt/z1/availability': '{"state":"online"}',
      'zigbee2mqtt/z1/set': '{"state":"ON"}',
      'zigbee2mqtt/remote':
        '{"action":"on","battery":87,"last_seen":1785138101000,"linkquality":90}',
      'zigbee2mqtt/fresh':
        '{"current":null,"energy":null,"power":null,"state":"OFF","voltage":null}',
    }
    for (const [topic, payload] of Object.entries(others)) {
      const { count, ignored, reasons } = read(topic, payload)
      assert.deepEqual([count, ignored, reasons], [0, 1, []], topic)
    }
  })
})
