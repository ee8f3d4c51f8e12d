/**
 * Loaded into every test file's process. On a terminal the runner tells these to colour what they
 * print, and what they start would inherit it: a test that reads a program's output would pass in a
 * pipe alone.
 */
Reflect.deleteProperty(process.env, 'FORCE_COLOR')
