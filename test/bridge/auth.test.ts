import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { isLoopback } from '../../src/bridge/auth.ts'
import { hashToken, loadCredentials, makeToken } from '../../src/bridge/credentials-file.ts'
import { hasCode } from '../../src/kernel/errors.ts'
import { startBridge } from '../../src/roles/bridge.ts'
import { testConfig } from '../support/config.ts'
import { startRoleInProcess } from '../support/roles.ts'
import { RawDevice, connectPacket, openRig, publishPacket } from './rig.ts'

const TOKEN = makeToken()
const OLD_TOKEN = makeToken()

async function fileOf(t: TestContext, content: unknown): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'meterloom-credentials-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'credentials.json')
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

const GATEWAY = {
  name: 'gateway-7',
  tokenHashes: [hashToken(OLD_TOKEN), hashToken(TOKEN)],
  publish: [
    { tenant: 'demo', meters: ['m-1', 'roof-*'] },
    { tenant: 'lab-*', meters: ['*'] },
  ],
}
const METER = {
  name: 'meter-2',
  tokenHashes: [hashToken(TOKEN)],
  publish: [{ tenant: 'demo', meters: ['m-2'] }],
}

test('a device is who its name and one of its tokens say', async (t) => {
  const file = await fileOf(t, { devices: [GATEWAY, METER] })
  const authenticator = await loadCredentials(file)
  const of = async (name: string | undefined, token: string | undefined) => {
    const password = token === undefined ? undefined : Buffer.from(token)
    return (await authenticator.authenticate('any', name, password))?.name
  }
  assert.equal(await of('gateway-7', TOKEN), 'gateway-7')
  assert.equal(await of('gateway-7', OLD_TOKEN), 'gateway-7')
  assert.equal(await of('meter-2', TOKEN), 'meter-2')
  assert.equal(await of('meter-2', OLD_TOKEN), undefined)
  assert.equal(await of('gateway-7', `${TOKEN}x`), undefined)
  assert.equal(await of('gateway-7', undefined), undefined)
  assert.equal(await of('nobody', TOKEN), undefined)
  assert.equal(await of(undefined, undefined), undefined)
  assert.equal(await of('constructor', TOKEN), undefined)
})

test('it may publish for the meters that its patterns name, whole', async (t) => {
  const file = await fileOf(t, { devices: [GATEWAY] })
  const authenticator = await loadCredentials(file)
  const principal = await authenticator.authenticate('any', 'gateway-7', Buffer.from(TOKEN))
  const may = (tenant: string, meterId: string) => principal?.mayPublish(tenant, meterId)
  assert.equal(may('demo', 'm-1'), true)
  assert.equal(may('demo', 'm-10'), false)
  assert.equal(may('demo', 'roof-'), true)
  assert.equal(may('demo', 'roof-west'), true)
  assert.equal(may('demo', 'the-roof-west'), false)
  assert.equal(may('lab-1', 'x'), true)
  assert.equal(may('lab', 'x'), false)
  assert.equal(may('demo', 'm.1'), false, 'only the star is special')
  assert.equal(may('other', 'm-1'), false)
})

test('a token that can be guessed gets no hash; the file holds none of a real one', () => {
  assert.throws(() => hashToken('secret'), /a token of 6 characters can be guessed/)
  assert.match(hashToken(TOKEN), /^sha256:[0-9a-f]{64}$/)
  assert.equal(makeToken().length, 43)
})

test('a file that is wrong is refused with the place in it', async (t) => {
  const cases: readonly (readonly [unknown, RegExp])[] = [
    ['{', /cannot be read/],
    [{}, /devices is missing, but must be a list of devices/],
    [{ devices: [] }, /devices is \[\]/],
    [{ devices: [{ ...GATEWAY, name: '' }] }, /devices\[0\]\.name is ""/],
    [{ devices: [METER, METER] }, /devices\[1\]\.name is "meter-2"/],
    [{ devices: [{ ...METER, tokenHashes: [TOKEN] }] }, /devices\[0\]\.tokenHashes is "/],
    [{ devices: [{ ...METER, publish: [{}] }] }, /devices\[0\]\.publish\[0\]\.tenant is missing/],
    [
      { devices: [{ ...METER, publish: [{ tenant: 'x', meters: [7] }] }] },
      /devices\[0\]\.publish\[0\]\.meters is 7/,
    ],
  ]
  for (const [content, message] of cases) {
    const file = await fileOf(t, content)
    await assert.rejects(loadCredentials(file), (error) => {
      assert.ok(hasCode(error, 'bridge.badCredentials') || hasCode(error, 'bridge.noCredentials'))
      assert.match(error.message, message)
      return true
    })
  }
})

test(
  'at the listener: the right token comes in, others get CONNACK 4 and are ' + 'counted',
  async (t) => {
    const authenticator = await loadCredentials(await fileOf(t, { devices: [GATEWAY] }))
    const { port, metric } = await openRig(t, { authenticator })
    const right = { username: 'gateway-7', password: Buffer.from(TOKEN) }
    const good = await RawDevice.connected(t, port, right)
    good.send(publishPacket('a'))
    await good.received('puback')
    for (const options of [{}, { ...right, password: Buffer.from('x') }]) {
      const bad = await RawDevice.open(t, port)
      bad.send(connectPacket(options), publishPacket('b'))
      await bad.closed()
      assert.deepEqual(
        bad.packets.map((packet) => ('returnCode' in packet ? packet.returnCode : packet.cmd)),
        [4],
      )
    }
    assert.equal(await metric('auth_refusals_total'), 2)
    assert.equal(await metric('readings_total'), 1)
  },
)

test('nobody throws out the connection of another device by its client id', async (t) => {
  const authenticator = await loadCredentials(await fileOf(t, { devices: [GATEWAY, METER] }))
  const { port } = await openRig(t, { authenticator })
  const password = Buffer.from(TOKEN)
  const gateway = await RawDevice.connected(t, port, { username: 'gateway-7', password })
  const meter = await RawDevice.connected(t, port, { username: 'meter-2', password })
  gateway.send(publishPacket('a'))
  meter.send(publishPacket('b'))
  await Promise.all([gateway.received('puback'), meter.received('puback')])
})

test('where the check itself fails, the device may come again: CONNACK 3', async (t) => {
  const authenticator = { authenticate: () => Promise.reject(new Error('forced by the test')) }
  const { port } = await openRig(t, { authenticator })
  const device = await RawDevice.connected(t, port)
  assert.equal(device.of('connack')[0]?.returnCode, 3)
  await device.closed()
})

test('without credentials the bridge is open on loopback alone', async (t) => {
  for (const address of ['127.0.0.1', '127.8.8.8', '::1', 'localhost']) {
    assert.equal(isLoopback(address), true, address)
  }
  for (const address of ['0.0.0.0', '::', '192.168.1.2', '::ffff:10.0.0.1', 'bridge.example']) {
    assert.equal(isLoopback(address), false, address)
  }
  const config = testConfig({ bindAddress: '0.0.0.0' })
  await assert.rejects(startRoleInProcess(t, 'bridge', startBridge, config), (error) => {
    assert.ok(hasCode(error, 'bridge.openToOthers'))
    assert.match(error.message, /BIND_ADDRESS is 0\.0\.0\.0.*set CREDENTIALS_FILE/)
    return true
  })
})
