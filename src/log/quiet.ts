/**
 * kafkajs 2.2.4 sets timers to times in the past, of which Node 24 warns at each start (its issue
 * 1751). That one warning is left out; all others go on.
 */
const emit = process.emitWarning.bind(process) as (...args: readonly unknown[]) => void

process.emitWarning = (...args: readonly unknown[]) => {
  const [warning, kind] = args
  const name = warning instanceof Error ? warning.name : kind
  if (name !== 'TimeoutNegativeWarning') emit(...args)
}
