import { Agent, createServer, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { SimClock } from '../../../sim/clock.ts'
import { eventually } from '../../../test/helpers/eventually.ts'
import { exchange, type HttpAnswer } from './http-exchange.ts'

/** What the server was asked and has not answered yet. */
const asked: ServerResponse[] = []
const server = createServer((_, response) => void asked.push(response))
const agent = new Agent({ keepAlive: true, maxSockets: 1 })

beforeAll(() => new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve)))
afterAll(() => {
  agent.destroy()
  server.closeAllConnections()
  server.close()
})
beforeEach(() => void (asked.length = 0))

function ask(clock: SimClock): Promise<HttpAnswer> {
  const { port } = server.address() as AddressInfo
  const bounds = { clock, timeoutMs: 2_000, bytesMax: 1_000 }
  return exchange(request({ host: '127.0.0.1', port, agent }), null, bounds)
}

const arrived = (count: number) => eventually('requests arrived', () => asked.length === count)

test('a request that waits for a connection has its whole time once it has one', async () => {
  const clock = new SimClock()
  const [first, second] = [ask(clock), ask(clock)]
  await arrived(1)
  clock.advance(1_500)
  asked[0]!.end('first')
  expect((await first).text).toBe('first')
  await arrived(2)
  clock.advance(1_500)
  asked[1]!.end('second')
  expect((await second).text).toBe('second')
  expect(clock.timerCount).toBe(0)
})

test('one that is not answered ends, and leaves its place to the next', async () => {
  const clock = new SimClock()
  const [first, second] = [ask(clock), ask(clock)]
  const ended = expect(first).rejects.toThrow('no answer within 2000 ms')
  await arrived(1)
  clock.advance(2_000)
  await ended
  await arrived(2)
  asked[1]!.end('second')
  expect((await second).text).toBe('second')
})
