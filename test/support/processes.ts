import { readFileSync } from 'node:fs'

/** Of user and system together, since each process began. */
export function cpuSeconds(pids: readonly number[]): number {
  const TICKS_PER_SECOND = 100
  return pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    return sum + (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  }, 0)
}

export function residentMb(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const [, kb] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return sum + Number(kb) / 1_024
  }, 0)
}
