import { describe, expect, test } from 'vitest'
import { askFirst, brokerAccesses } from './broker-access.ts'
import { BrokerError } from './brokers/broker-error.ts'
import type { BrokerAccess } from './brokers/brokers.ts'
import type { LogCluster } from './crd/cluster.ts'
import type { Pod } from './kubernetes/objects.ts'
import type { Parts } from './parts.ts'

const cluster = { metadata: { namespace: 'streaming', name: 'orders' } } as LogCluster

function pod(slot: number, isReady: boolean, more: object = {}): Pod {
  const labels = {
    'app.kubernetes.io/component': 'broker',
    'logcluster.dev/broker': `orders-main-${slot}`,
  }
  const conditions = [{ type: 'Ready', status: isReady ? 'True' : 'False' }]
  const metadata = { name: `orders-main-${slot}-0`, labels, ...more }
  return { metadata, status: { podIP: `10.0.0.${slot}`, conditions } } as unknown as Pod
}

function partsWith(...pods: Pod[]): Pick<Parts, 'api' | 'caches'> {
  const slots = pods.map((_, slot) => ({
    metadata: { name: `orders-main-${slot}` },
    spec: { slot },
  }))
  const secret = { data: { operator: btoa('secret') } }
  return {
    api: { get: () => Promise.resolve(secret) },
    caches: { pods: { indexed: () => pods }, logBrokers: { indexed: () => slots } },
  } as unknown as Pick<Parts, 'api' | 'caches'>
}

const to = (slot: number): BrokerAccess => ({ host: `10.0.0.${slot}`, port: 9190, password: '' })

async function asked(count: number, silent: readonly number[], chance = 0): Promise<string[]> {
  const hosts: string[] = []
  const accesses = Array.from({ length: count }, (_, slot) => to(slot))
  await askFirst(accesses, chance, ({ host }) => {
    hosts.push(host)
    if (silent.some(slot => host === to(slot).host)) {
      return Promise.reject(new BrokerError('unreachable', `${host} is silent`))
    }
    return Promise.resolve(host)
  }).catch((error: unknown) => hosts.push(String(error)))
  return hosts.map(host => host.replace('10.0.0.', ''))
}

describe('brokers to ask about topics', () => {
  test('are those that serve, by slot, and only then others', async () => {
    const parts = partsWith(
      pod(0, false),
      pod(1, true),
      pod(2, true, { deletionTimestamp: '2026-01-01T00:00:00Z' }),
      pod(3, true),
    )
    const found = await brokerAccesses(parts, cluster)
    expect(found.map(({ host }) => host)).toEqual(['10.0.0.1', '10.0.0.3', '10.0.0.0'])
    expect(found[0]!.password).toBe('secret')
  })

  test('are asked until one can be reached, and no more than three at once', async () => {
    expect(await asked(3, [])).toEqual(['0'])
    expect(await asked(3, [0, 1])).toEqual(['0', '1', '2'])
    expect(await asked(6, [0, 1, 2, 3, 4])).toEqual(['0', '1', '2', 'BrokerError: 2 is silent'])
    const later = await Promise.all([0.5, 0.99].map(chance => asked(6, [0, 1, 2, 3, 4], chance)))
    expect(later.map(each => each.at(-1))).toEqual(['BrokerError: 4 is silent', '5'])
  })

  test('who answers by an error has answered for all', async () => {
    const hosts: string[] = []
    const ask = ({ host }: BrokerAccess): Promise<never> => {
      hosts.push(host)
      return Promise.reject(new BrokerError('answered', 'no'))
    }
    await expect(askFirst([to(0), to(1)], 0, ask)).rejects.toThrow('no')
    expect(hosts).toEqual(['10.0.0.0'])
  })
})
