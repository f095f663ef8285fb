import { mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { SimClock } from '../../sim/clock.ts'
import { HttpsObjects } from '../../src/kubernetes/https-objects.ts'
import type { GetReply } from '../../src/kubernetes/named-objects.ts'

/** Of nobody but these tests: 127.0.0.1 vouches for itself until 2126. */
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgVtND9DbMAzMZ3vkn
E5U58OiubvKSLci5RzCAHCJDCW+hRANCAATl5Rcf7gWHSG/alQLpKhzyolYmg/yK
77dn+xyRzyNAibMaiBDOA8D776DLRnySpvcQvGbFuDgjCB+8Q1UPSjtN
-----END PRIVATE KEY-----`
const cert = `-----BEGIN CERTIFICATE-----
MIIBhjCCASygAwIBAgIUS3V4JDJ0Hfu/gfvBQweLaOndVk0wCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjkwOTUwMThaGA8yMTI2MTEwNTA5NTAx
OFowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABOXl
Fx/uBYdIb9qVAukqHPKiViaD/Irvt2f7HJHPI0CJsxqIEM4DwPvvoMtGfJKm9xC8
ZsW4OCMIH7xDVQ9KO02jZDBiMB0GA1UdDgQWBBSaSZZMIoJ8zvXdAkj1P2sFsmNn
/DAfBgNVHSMEGDAWgBSaSZZMIoJ8zvXdAkj1P2sFsmNn/DAPBgNVHRMBAf8EBTAD
AQH/MA8GA1UdEQQIMAaHBH8AAAEwCgYIKoZIzj0EAwIDSAAwRQIgbTMIG5RUsR58
F+hcUDf2boRLBzwRul2qX/4/RzwSWN8CIQDkSKOreGby4uTpcFsqf7M8obpEyWSt
XeefdYy6goa/4w==
-----END CERTIFICATE-----`

type Answers = (request: IncomingMessage, response: ServerResponse) => void

const stored = { metadata: { name: 'orders-md-00', resourceVersion: '7' }, data: {} }
const rightly: Answers = (_, response) => void response.end(JSON.stringify(stored))
let answers: Answers = rightly
const server = createServer({ key, cert }, (request, response) => answers(request, response))
let root = ''
let clock = new SimClock()
let objects: HttpsObjects

beforeAll(() => new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve)))
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  answers = rightly
  clock = new SimClock()
  root = mkdtempSync(join(tmpdir(), 'logcluster-objects-'))
  writeFileSync(join(root, 'token'), 'secret')
  writeFileSync(join(root, 'ca.crt'), cert)
  const { port } = server.address() as AddressInfo
  objects = new HttpsObjects({
    url: `https://127.0.0.1:${port}`,
    namespace: 'test',
    tokenFile: join(root, 'token'),
    caFile: join(root, 'ca.crt'),
    clock,
  })
})
afterEach(() => {
  objects.close()
  rmSync(root, { recursive: true })
})

const get = (): Promise<GetReply> => objects.get('ConfigMap', 'orders-md-00')

/** Once all of `count` requests have come, and none of them is answered. */
function silence(count: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let come = 0
  answers = () => void (++come === count && resolve())
  return promise
}

describe('a broker that asks the API', () => {
  test('does not try one dead connection after the other', async () => {
    const held: ServerResponse[] = []
    const { promise: allCame, resolve } = Promise.withResolvers<void>()
    answers = (_, response) => void (held.push(response) === 3 && resolve())
    const three = [get(), get(), get()]
    await allCame
    const dead = new Set(held.map(({ req }) => req.socket))
    for (const response of held) response.end(JSON.stringify(stored))
    await Promise.all(three)
    const silent = silence(1)
    const first = get()
    await silent
    answers = (request, response) => {
      if (!dead.has(request.socket)) rightly(request, response)
      else clock.advance(2_000)
    }
    clock.advance(2_000)
    expect(await first).toMatchObject({ type: 'unavailable', isUnknown: true })
    expect(await get()).toMatchObject({ type: 'found' })
  })

  test('reads the file of its authorities again where that could not be read', async () => {
    const caFile = join(root, 'ca.crt')
    rmSync(caFile)
    mkdirSync(caFile)
    expect(await get()).toMatchObject({
      type: 'unavailable',
      reason: expect.stringMatching(/EISDIR/),
    })
    rmdirSync(caFile)
    expect(await get()).toMatchObject({
      type: 'unavailable',
      reason: expect.stringMatching(/ENOENT/),
    })
    writeFileSync(caFile, '')
    expect(await get()).toMatchObject({ reason: expect.stringMatching(/self-signed/) })
    writeFileSync(caFile, cert)
    expect(await get()).toMatchObject({ type: 'found' })
  })

  test('is left alone for ten seconds at most, whatever the answer asks for', async () => {
    answers = (_, response) => void response.writeHead(429, { 'retry-after': '86400' }).end('busy')
    expect(await get()).toMatchObject({
      retryAfterMs: 10_000,
      reason: expect.stringMatching(/429 busy$/),
    })
    answers = (_, response) => void response.writeHead(429, { 'retry-after': '3' }).end('busy')
    expect(await get()).toMatchObject({ retryAfterMs: 3_000 })
    answers = (_, response) => void response.writeHead(429, { 'retry-after': '-3' }).end('busy')
    expect(await get()).toMatchObject({ retryAfterMs: null })
  })

  test.each([
    'null',
    '[]',
    '{"metadata":null}',
    '{"metadata":{"name":"orders-md-00"}}',
    '{"metadata":{"name":"orders-md-00","resourceVersion":""}}',
    '{"metadata":{"name":"another","resourceVersion":"7"}}',
    '<html>',
  ])('takes %s, answered with 200, for no answer', async text => {
    answers = (_, response) => void response.end(text)
    expect(await get()).toMatchObject({ type: 'unavailable', isUnknown: true })
    expect(await objects.update('ConfigMap', stored)).toMatchObject({
      type: 'unavailable',
      isUnknown: true,
    })
    answers = rightly
    expect(await get()).toMatchObject({ type: 'found' })
  })
})
