import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../src/kernel/config.ts'
import { Fleet } from '../../src/tools/simulate/fleet.ts'
import { placedMeters } from '../../src/tools/simulate/registered.ts'
import { SAMPLE_FLEET } from '../../src/tools/simulate/sample.ts'

/**
 * Writes METERS_FILE with the simulated meters behind those that are there, so that they have
 * places and a zone. Nothing that the engine reckons with is said of them: what a command computes
 * with the file as it was is the same.
 *
 * @returns The file that was written.
 */
export function withSampleMeters({ metersFile, dataDir }: Config): string {
  const known = JSON.parse(readFileSync(metersFile, 'utf8')) as { meters?: readonly object[] }
  const meters = [...(known.meters ?? []), ...placedMeters(new Fleet(SAMPLE_FLEET))]
  const file = join(dataDir, 'sample-meters.json')
  mkdirSync(dataDir, { recursive: true })
  writeFileSync(file, `${JSON.stringify({ ...known, meters }, null, 2)}\n`)
  return file
}
