import { createServer, type IncomingMessage } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { SimClock } from '../../../sim/clock.ts'
import type { Credentials } from './credentials.ts'
import { Transport, connectionError } from './transport.ts'

let url = ''
let token = ''
let reads = 0
const seen: { readonly authorization: string | undefined; readonly port: number | undefined }[] = []
/** The one that the server takes. */
let right = 'Bearer first'

const server = createServer((request: IncomingMessage, response) => {
  const { authorization } = request.headers
  seen.push({ authorization, port: request.socket.remotePort })
  response.writeHead(authorization === right ? 200 : 401).end('{}')
})

beforeAll(async () => {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
})

afterAll(() => {
  server.closeAllConnections()
  server.close()
})

beforeEach(() => {
  seen.length = 0
  reads = 0
  token = right = 'Bearer first'
})

const tls = { ca: null, cert: null, key: null, rejectUnauthorized: true, servername: null }
const { signal } = new AbortController()

function transport(clock = new SimClock(), more: Partial<Credentials> = {}): Transport {
  const read = async (): Promise<Credentials> => {
    reads++
    return { server: url, tls, authorization: token, ...more }
  }
  return new Transport({ source: { read }, clock, userAgent: 'test' })
}

async function get(way: Transport): Promise<number> {
  const { status, body } = await way.send({ method: 'GET', path: '/' }, signal)
  await body.text()
  return status
}

describe('the way to the API server', () => {
  test('keeps its connections: one request after another needs no new one', async () => {
    const way = transport()
    for (let count = 0; count < 20; count++) await get(way)
    // A second may be made where a request comes before undici has taken note of the last answer's end.
    expect(new Set(seen.map(({ port }) => port)).size).toBeLessThanOrEqual(2)
    expect(reads).toBe(1)
    await way.close()
  })

  test('reads its token again after a minute', async () => {
    const clock = new SimClock()
    const way = transport(clock)
    await get(way)
    token = right = 'Bearer second'
    clock.advance(60_000)
    expect(await get(way)).toBe(200)
    expect(seen.map(({ authorization }) => authorization)).toEqual([
      'Bearer first',
      'Bearer second',
    ])
    await way.close()
  })

  test('asks again at once where its token was not taken and there is another', async () => {
    const way = transport()
    await get(way)
    token = right = 'Bearer early'
    expect(await get(way)).toBe(200)
    expect(seen).toHaveLength(3)
    right = 'Bearer nobody has it'
    expect(await get(way)).toBe(401)
    expect(seen).toHaveLength(4)
    await way.close()
  })

  test('tells of what never arrived that it did not', async () => {
    const way = transport(new SimClock(), { server: 'http://127.0.0.1:1' })
    await expect(get(way)).rejects.toMatchObject({ name: 'ApiError', kind: 'unreachable' })
    await way.close()
    const unread = new Transport({
      source: { read: () => Promise.reject(new Error('no such file')) },
      clock: new SimClock(),
      userAgent: 'test',
    })
    await expect(get(unread)).rejects.toMatchObject({
      kind: 'unreachable',
      message: 'cannot read the credentials for the API server: no such file',
    })
  })
})

test('an error of a connection becomes text: what it holds is not kept', () => {
  const raw = Object.assign(new Error('other side closed'), {
    code: 'UND_ERR_SOCKET',
    agent: { key: 'PRIVATE KEY' },
  })
  const error = connectionError(raw, 'https://x')
  expect([error.kind, error.cause]).toEqual(['unknown', undefined])
  expect(error.message).toBe('no answer from the API server at https://x: other side closed')
  expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('PRIVATE KEY')
})
