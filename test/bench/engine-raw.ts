import { readFileSync } from 'node:fs'
import kafkajs from 'kafkajs'
import type { EngineReport } from './engine-process.ts'

/** The ceiling of `bench:engine`: kafkajs alone, which reads the topic and does nothing with it. */
const { kafkaBrokers, input, group } = JSON.parse(process.argv[2]!) as Record<string, string>

const { Kafka, logLevel } = kafkajs
const kafka = new Kafka({ brokers: kafkaBrokers!.split(','), logLevel: logLevel.NOTHING })
const admin = kafka.admin()
await admin.connect()
const offsets = await admin.fetchTopicOffsets(input!)
await admin.disconnect()
const total = offsets.reduce((sum, { high }) => sum + Number(high), 0)

const consumer = kafka.consumer({ groupId: group!, maxBytesPerPartition: 4 * 1024 * 1024 })
await consumer.connect()
await consumer.subscribe({ topic: input!, fromBeginning: true })
let records = 0
let firstMillis = 0
let before = process.cpuUsage()
const done = Promise.withResolvers<undefined>()
await consumer.run({
  eachBatch({ batch }) {
    if (records === 0) {
      firstMillis = Date.now()
      before = process.cpuUsage()
    }
    records += batch.messages.length
    if (records >= total) done.resolve(undefined)
    return Promise.resolve()
  },
})
await done.promise
const { user, system } = process.cpuUsage(before)
const [, kb] = /VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
const report: EngineReport = {
  seconds: (Date.now() - firstMillis) / 1_000,
  cpuSeconds: (user + system) / 1e6,
  wholeCpuSeconds: process.cpuUsage().user / 1e6,
  peakRssMb: Math.round(Number(kb) / 1_024),
  records,
  firstMillis,
  lastMillis: Date.now(),
}
console.log(JSON.stringify(report))
await consumer.disconnect()
