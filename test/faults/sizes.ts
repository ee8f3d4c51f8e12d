import type { Size } from './scene.ts'

/** For two cores. The warm-up is what baselines need, which are known from 24 windows on. */
export const FULL: Size = { meters: 40, warmUpMinutes: 480, messagesPerSecond: 200 }
export const QUICK: Size = { meters: 20, warmUpMinutes: 420, messagesPerSecond: 150 }
