import { PURPOSE, unit, wave } from './hash.ts'

/**
 * Weather of one region, the same for the whole fleet: temperature and sunshine as functions of the
 * seed and the time. Seasons and height of the sun are those of 51 degrees north, 10 degrees east.
 */

const SECONDS_A_DAY = 86_400
const LATITUDE = (51 * Math.PI) / 180
const LONGITUDE_HOURS = 10 / 15
/** Mid of January is the coldest. */
const COLDEST_DAY = 15
const DAYS_A_YEAR = 365.25

/** Degrees Celsius that the day of the year has in the mean over many years. */
export function usualTemperature(day: number): number {
  return 10 - 9.5 * Math.cos((2 * Math.PI * (day - COLDEST_DAY)) / DAYS_A_YEAR)
}

/** Mean of one day, degrees Celsius; warm and cold spells last some days. @param day Since 1970. */
export function dayTemperature(seed: number, day: number): number {
  const spells = 5 * wave(seed, PURPOSE.temperature, 0, day / 5)
  return usualTemperature(day) + spells + 1.5 * wave(seed, PURPOSE.temperature, 1, day)
}

/** Watts a square metre on a plane that a panel has, at a moment in seconds since 1970. */
export function irradiance(seed: number, at: number): number {
  const day = Math.floor(at / SECONDS_A_DAY)
  const declination = -0.409 * Math.cos((2 * Math.PI * (day + 10)) / DAYS_A_YEAR)
  const hour = (at % SECONDS_A_DAY) / 3_600 + LONGITUDE_HOURS
  const angle = ((hour - 12) / 12) * Math.PI
  const height =
    Math.sin(LATITUDE) * Math.sin(declination) +
    Math.cos(LATITUDE) * Math.cos(declination) * Math.cos(angle)
  if (height <= 0) return 0
  // Kasten and Czeplak 1980: clear sky, then 1 - 0.75 cover^3.4.
  const clear = Math.max(0, 910 * height - 30)
  return 1.1 * clear * (1 - 0.75 * cloudCover(seed, day, at) ** 3.4)
}

/** Share of the sky, 0 to 1: the day has its character, the hours vary around it. */
function cloudCover(seed: number, day: number, at: number): number {
  const ofDay = unit(seed, PURPOSE.clouds, 0, day)
  const ofHour = wave(seed, PURPOSE.clouds, 1, at / 3_600)
  return Math.min(1, Math.max(0, ofDay + 0.35 * ofHour))
}
