/**
 * Loaded before the command by `infra/setup/launch.js`: where that process is gone without a word
 * (kill -9), the command is asked to stop, so that nothing is left running behind.
 */
process.once('disconnect', () => {
  process.kill(process.pid, 'SIGTERM')
})
// What the command itself starts must not inherit this: it has other parents and channels.
const at = process.execArgv.indexOf(import.meta.url)
if (at > 0) process.execArgv.splice(at - 1, 2)
// Waiting for it must not keep a command alive that has finished.
process.channel?.unref()
