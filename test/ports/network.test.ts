import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { describe, expect, test } from 'vitest'
import { loadNative } from '../../src/broker/native/load.ts'
import { realClock } from '../../src/env/real/clock.ts'
import { NodeDisk } from '../../src/env/real/disk.ts'
import { NodeNetwork } from '../../src/env/real/network.ts'
import type { Disk } from '../../src/env/disk.ts'
import type { Network } from '../../src/env/network.ts'
import { Prng } from '../../src/lib/prng.ts'
import type { SimSocket } from '../../sim/byte-stream.ts'
import { SimDisk } from '../../sim/disk.ts'
import { SimNetwork } from '../../sim/network.ts'
import { poisonedNetwork } from '../../sim/poisoned-network.ts'
import type { NetworkUnderTest } from './network-bench.ts'
import { networkConformance } from './network-conformance.ts'
import { networkEverywhere } from './network-everywhere.ts'
import { scriptedSession } from './network-session.ts'
import { silentTcpPlace } from './silent-place.ts'

const loaded = loadNative()

const kinds: Record<string, () => NetworkUnderTest> = {
  node: () => overTcp(poisonedNetwork(new NodeNetwork()), new NodeDisk()),
  simulated,
}
if (loaded.ok) {
  const { network, disk } = loaded.native
  kinds['native'] = () => overTcp(poisonedNetwork(network), disk)
  kinds['node over the native disk'] = () => overTcp(poisonedNetwork(new NodeNetwork()), disk)
}

for (const [name, make] of Object.entries(kinds)) networkConformance(name, make)

describe('one scripted session', () => {
  test.each([1, 2, 3])('gives the same bytes over every network (seed %i)', async seed => {
    const results = new Map<string, unknown>()
    for (const [name, make] of Object.entries(kinds)) {
      const under = make()
      results.set(name, await scriptedSession(under, seed))
      under.clean()
    }
    const node = results.get('node')
    expect(node).toMatchObject({ sentBytes: expect.any(Number) as number })
    for (const result of results.values()) expect(result).toEqual(node)
  })
})

if (!loaded.ok) {
  describe('native: the Network port', () => {
    test.skip(`not run: ${loaded.reason}`, () => {})
  })
}

function overTcp(network: Network, disk: Disk): NetworkUnderTest {
  const root = mkdtempSync(`${tmpdir()}/logcluster-network-`)
  return {
    network,
    disk,
    root,
    connect: (host, port) =>
      new Promise((resolve, reject) => {
        const socket = connect({ host, port, noDelay: true, allowHalfOpen: true })
        socket.once('error', reject)
        socket.once('connect', () => resolve(socket))
      }),
    reset: duplex => void (duplex as Socket).resetAndDestroy(),
    silentPlace: silentTcpPlace,
    clean: () => rmSync(root, { recursive: true }),
  }
}

function simulated(): NetworkUnderTest {
  const clock = realClock
  const network = new SimNetwork(undefined, { prng: new Prng(1), clock })
  const disk = new SimDisk()
  disk.mkdir('/data')
  return {
    network: poisonedNetwork(network),
    disk,
    root: '/data',
    connect: async (host, port) => network.wires.connect(host, port),
    reset: duplex => (duplex as SimSocket).reset(),
    silentPlace: async () => {
      const place = { host: 'silent', port: 9092 }
      network.wires.setSilent(place.host, place.port, true)
      return { ...place, async [Symbol.asyncDispose]() {} }
    },
    clean: () => {},
  }
}

networkEverywhere('node', () => new NodeNetwork())
