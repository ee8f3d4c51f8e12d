import type { FleetOptions } from './fleet.ts'

const SECONDS_A_DAY = 86_400

/**
 * The fleet of `npm start`: one to look at, with faults that its dashboards are to show, and none
 * that only tests want.
 */
export const SAMPLE_FLEET: FleetOptions = {
  meters: 200,
  intervalSeconds: 60,
  seed: 1,
  zone: 'Europe/Berlin',
  tenant: 'demo',
  faults: { spikes: 0.005, stuck: 0.005, silent: 0.005, backlog: 0.01, duplicates: 0.01 },
}

export const SAMPLE_HISTORY_SECONDS = 7 * SECONDS_A_DAY
