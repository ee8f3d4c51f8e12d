import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Gate, type Waiter } from '../../src/bridge/gate.ts'

test('who waits is woken in turn, once half of the room is free', () => {
  const gate = new Gate(100)
  const woken: string[] = []
  const waiter = (name: string): Waiter => ({ wake: () => void woken.push(name) })
  gate.enter(100)
  assert.equal(gate.isShut, true)
  gate.wait(waiter('a'))
  gate.wait(waiter('b'))
  gate.leave(49)
  assert.deepEqual(woken, [])
  gate.leave(1)
  assert.deepEqual(woken, ['a', 'b'])
  assert.equal(gate.isShut, false)
})

test('who is woken may shut it again: the others wait on, and come first the next time', () => {
  const gate = new Gate(100)
  const woken: string[] = []
  const greedy = (name: string): Waiter => ({
    wake() {
      woken.push(name)
      gate.enter(100)
    },
  })
  gate.enter(100)
  for (const name of ['a', 'b', 'c']) gate.wait(greedy(name))
  gate.leave(100)
  assert.deepEqual(woken, ['a'])
  gate.leave(100)
  assert.deepEqual(woken, ['a', 'b'])
})

test('a wake that leaves at once wakes the rest by the same turn, not by a deeper one', () => {
  const gate = new Gate(100)
  let depth = 0
  let depthMax = 0
  gate.enter(100)
  for (let i = 0; i < 1_000; i += 1) {
    gate.wait({
      wake() {
        depth += 1
        depthMax = Math.max(depthMax, depth)
        gate.enter(10)
        gate.leave(10)
        depth -= 1
      },
    })
  }
  gate.leave(100)
  assert.equal(depthMax, 1)
  assert.equal(gate.inFlightBytes, 0)
})

test('a locked gate stays shut', () => {
  const gate = new Gate(100)
  let woken = 0
  gate.enter(100)
  gate.wait({ wake: () => (woken += 1) })
  gate.lock()
  gate.leave(100)
  assert.equal(woken, 0)
  assert.equal(gate.isShut, true)
})
