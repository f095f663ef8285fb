import { setTimeout as sleep } from 'node:timers/promises'
import type { Prng } from '../../src/lib/prng.ts'
import type { Fault } from './faults.ts'
import type { ChaosNetwork } from './network.ts'

/** Longer than a broker's session (9 s) in the longest. */
const cutMsMax = 16_000

/** Cuts between brokers, which clients do not see, and of one from everybody. */
export function networkFaults(network: ChaosNetwork): Readonly<Record<string, Fault>> {
  return {
    'cut-one-way': async ({ cluster, random }) => {
      const [from, to] = pair(cluster.brokers.length, random)
      return await whileCut(network, random, [[from, to]])
    },
    'cut-both-ways': async ({ cluster, random }) => {
      const [one, other] = pair(cluster.brokers.length, random)
      const ways = [
        [one, other],
        [other, one],
      ] as const
      return await whileCut(network, random, ways)
    },
    'cut-controller-from-brokers': async ({ cluster, random }) => {
      const { controllerId } = await cluster.facts()
      const others = [...cluster.brokers.keys()].filter(id => id !== controllerId)
      const isHeard = random.chance(1, 2)
      const back = isHeard ? [] : others.map(id => [id, controllerId] as const)
      return await whileCut(network, random, [
        ...others.map(id => [controllerId, id] as const),
        ...back,
      ])
    },
    'cut-off-one': async ({ cluster, random }) => {
      return await whileOff(network, random, random.below(cluster.brokers.length))
    },
    'cut-off-controller': async ({ cluster, random }) => {
      return await whileOff(network, random, (await cluster.facts()).controllerId)
    },
  }
}

type Way = readonly [from: number, to: number]

function pair(count: number, random: Prng): Way {
  const one = random.below(count)
  return [one, (one + 1 + random.below(count - 1)) % count]
}

async function whileCut(
  network: ChaosNetwork,
  random: Prng,
  ways: readonly Way[],
): Promise<string> {
  const cutMs = 500 + random.below(cutMsMax)
  for (const [from, to] of ways) network.cut(from, to)
  await sleep(cutMs)
  for (const [from, to] of ways) network.mend(from, to)
  return `cut of ${ways.map(way => way.join('>')).join(', ')} for ${cutMs} ms`
}

async function whileOff(network: ChaosNetwork, random: Prng, id: number): Promise<string> {
  const cutMs = 500 + random.below(cutMsMax)
  network.setCable(id, false)
  await sleep(cutMs)
  network.setCable(id, true)
  return `broker ${id} cut off for ${cutMs} ms`
}
