#!/usr/bin/env node
// The `meterloom` command: as `node infra/run.js cli`, from any folder.
process.argv.splice(2, 0, 'cli')
await import('./run.js')
