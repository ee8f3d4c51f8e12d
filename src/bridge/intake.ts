import { LIMITS } from '../kernel/limits.ts'
import { type Appender, bytesOf } from './appender.ts'
import type { Gate } from './gate.ts'
import type { Decoder, Inbound } from './inbound.ts'
import type { BridgeMetrics } from './metrics.ts'

export interface IntakeOptions {
  readonly decoder: Decoder
  readonly appender: Appender
  readonly gate: Gate
  readonly metrics: BridgeMetrics
}

/**
 * Takes a message from any source to the log: decode, count, append, and only then tell the source.
 */
export class Intake {
  private readonly options: IntakeOptions

  constructor(options: IntakeOptions) {
    this.options = options
  }

  /**
   * @param done Called once, without an error when all that the message says is in the log. A
   *   message that leaves nothing there is done at once.
   * @returns What the message weighs until `done`, in bytes.
   */
  take(inbound: Inbound, done: (error?: unknown) => void): number {
    const { decoder, appender, gate, metrics } = this.options
    const { readings, deadLetters, reasons, ignored } = decoder.decode(inbound)
    metrics.ignored += ignored
    if (readings.length === 0 && deadLetters.length === 0) {
      done()
      return 0
    }
    let bytes = 0
    for (const record of readings) bytes += bytesOf(record)
    for (const record of deadLetters) bytes += bytesOf(record)
    const weight = bytes + inbound.payload.length + LIMITS.bridgeMessageOverheadBytes
    gate.enter(weight)
    metrics.inFlight += 1
    appender.add({
      readings,
      deadLetters,
      bytes,
      done: (error) => {
        metrics.inFlight -= 1
        if (error === undefined) {
          metrics.readings += readings.length
          for (const reason of reasons) metrics.deadLetter(reason)
        }
        // First the source, then the room: who is woken must not overtake this acknowledgement.
        done(error)
        gate.leave(weight)
      },
    })
    return weight
  }
}
