import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { NetworkBench, NetworkUnderTest } from './network-bench.ts'
import { networkCold } from './network-cold.ts'
import { networkFiles } from './network-files.ts'
import { networkFrames } from './network-frames.ts'
import { networkConnects } from './network-connects.ts'
import { networkEnds } from './network-ends.ts'
import { TestClient } from './network-client.ts'
import { TestServer } from './network-server.ts'

/** What every Network must do alike, whatever is below it. */
export function networkConformance(name: string, make: () => NetworkUnderTest): void {
  describe(`${name}: the Network port`, () => {
    const servers: TestServer[] = []
    const clients: TestClient[] = []
    const bench: { current: NetworkBench | null } = { current: null }

    beforeEach(() => {
      const under = make()
      bench.current = {
        under,
        async serve(behaviour, options) {
          const server = await TestServer.start(under.network, behaviour, options)
          servers.push(server)
          return server
        },
        async connect(server) {
          const { host, port } = server.listener
          const client = new TestClient(await under.connect(host, port))
          clients.push(client)
          return client
        },
      }
    })

    afterEach(async () => {
      for (const client of clients.splice(0)) client.duplex.destroy()
      for (const server of servers.splice(0)) await server.stop()
      const { under } = bench.current!
      expect(under.network.counters.requestMemoryBytes).toBe(0)
      under.clean()
    })

    networkFrames(() => bench.current!)
    networkFiles(() => bench.current!)
    networkCold(() => bench.current!)
    networkEnds(() => bench.current!)
    networkConnects(() => bench.current!)

    test('says where both ends are, and gives every connection its own id', async () => {
      const { current } = bench
      const server = await current!.serve()
      await Promise.all([1, 2, 3].map(() => current!.connect(server)))
      await server.until(() => server.connections.length === 3)
      expect(new Set(server.connections.map(({ id }) => id)).size).toBe(3)
      for (const { local, remote } of server.connections) {
        expect(local).toEqual({ host: server.listener.host, port: server.listener.port })
        expect(remote.port).toBeGreaterThan(0)
        expect(remote.host.length).toBeGreaterThan(0)
      }
    })
  })
}
