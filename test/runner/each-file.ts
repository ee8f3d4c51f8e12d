/**
 * Loaded into every test file's process.
 *
 * On a terminal the runner tells these to colour what they print, and what they start would inherit
 * it: a test that reads a program's output would pass in a pipe alone.
 */
Reflect.deleteProperty(process.env, 'FORCE_COLOR')

/**
 * The runner limits a test's time, but waits for a file for as long as anything holds its process:
 * a test that was broken off can leave a connection that never ends. Then the file fails and says
 * what holds it.
 */
const FILE_MS_MAX = 600_000
setTimeout(() => {
  const held = process.getActiveResourcesInfo().join(', ')
  console.error(`${process.argv[1]} did not end in ${FILE_MS_MAX / 1_000} s; held by: ${held}`)
  process.exit(1)
}, FILE_MS_MAX).unref()
