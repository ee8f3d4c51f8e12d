import { calendar, topology } from '../src/engine/dsl.ts'
import { publishWindows, windows } from './windows.ts'

/** Days and months of each meter's own zone, of the quarter hours that lie in them. */
export const calendarWindows = topology('calendar', () => {
  const { quarter } = windows.exports
  const day = quarter.combine('day', calendar('1d', 'day'))
  const month = quarter.combine('month', calendar('1mo', 'month'))
  publishWindows('day', day)
  publishWindows('month', month)
  return { day, month }
})
