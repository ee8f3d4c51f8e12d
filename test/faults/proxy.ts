import { type FaultProxy, faultProxy } from '../sinks/fault-proxy.ts'

/** A proxy before QuestDB that is closed by hand. */
export async function openProxy(
  questdbUrl: string,
): Promise<{ proxy: FaultProxy; close: () => Promise<void> }> {
  const ends: (() => Promise<void>)[] = []
  const scope = { after: (end: () => Promise<void>) => void ends.push(end) }
  const proxy = await faultProxy(scope, questdbUrl)
  return {
    proxy,
    close: async () => {
      for (const end of ends) await end()
    },
  }
}
