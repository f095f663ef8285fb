import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Served, ask, id } from '../../../test/helpers/served.ts'
import type { ScriptedClient } from '../../../test/helpers/scripted-network.ts'

const timeoutMs = fc.oneof(fc.integer({ min: 200, max: 4000 }), fc.constantFrom(2 ** 31, 2 ** 63))

test('idle: in whatever order connections come and ask, each is closed at its own time', async () => {
  const step = fc.record({ at: fc.nat({ max: 3 }), thenMs: fc.nat({ max: 1500 }) })
  await fc.assert(
    fc.asyncProperty(timeoutMs, timeoutMs, fc.array(step), async (idleMs, frameMs, steps) => {
      const served = new Served()
      served.act = number => id(number)
      await served.start({ connectionsMaxIdleMs: idleMs, connectionsFrameTimeoutMs: frameMs })
      // A look comes every tenth of the shorter time, and at least every five seconds.
      const lookMs = Math.max(50, Math.min(5000, Math.min(idleMs, frameMs) / 10))
      const clients = new Map<number, { client: ScriptedClient; heardMs: number }>()
      for (const { at, thenMs } of steps) {
        const heardMs = served.clock.monotonic()
        const client = clients.get(at)?.client ?? served.connect()
        clients.set(at, { client, heardMs })
        client.arrive(ask(at))
        await served.clock.run(thenMs)
        for (const [key, known] of clients) {
          const quietMs = served.clock.monotonic() - known.heardMs
          const isClosed = known.client.closedBy !== null
          if (quietMs < idleMs) expect(isClosed).toBe(false)
          if (quietMs >= idleMs + lookMs) expect(isClosed).toBe(true)
          if (isClosed) clients.delete(key)
        }
      }
    }),
    { numRuns: 50 },
  )
})
