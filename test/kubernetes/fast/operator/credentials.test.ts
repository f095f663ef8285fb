import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { SimClock } from '../../../../sim/clock.ts'
import { inCluster } from '../../../../src/operator/kubernetes/credentials.ts'
import { Transport } from '../../../../src/operator/kubernetes/transport.ts'
import { eventually } from '../../../helpers/eventually.ts'
import { sharedControlPlane } from '../shared.ts'

const folder = mkdtempSync(join(tmpdir(), 'service-account-'))
afterAll(() => rmSync(folder, { recursive: true }))

const anyStatus = { anyStatus: true } as const

test('in a pod the operator is its ServiceAccount, by the token that lies there now', async () => {
  const plane = sharedControlPlane()
  const namespace = 'credentials'
  await plane.kubectl(['create', 'namespace', namespace])
  const asked = ['get', 'serviceaccount', 'default', '-n', namespace]
  await eventually(
    'it has an account',
    () => plane.kubectl(asked, anyStatus),
    it => it.status === 0,
  )
  const { url, token, authorityFile } = await plane.serviceAccount(namespace, 'default')
  copyFileSync(authorityFile, join(folder, 'ca.crt'))
  const put = (text: string): void => writeFileSync(join(folder, 'token'), `${text}\n`)
  const { hostname: host, port } = new URL(url)
  const clock = new SimClock()
  const source = inCluster({ host, port, folder })
  const way = new Transport({ source, clock, userAgent: 'test' })
  const { signal } = new AbortController()
  const ask = async (): Promise<string> => {
    const path = '/api/v1/nodes'
    const { status, body } = await way.send({ method: 'GET', path }, signal)
    return `${status} ${await body.text()}`
  }
  put(token)
  expect(await ask()).toContain(`403`)
  expect(await ask()).toContain(`system:serviceaccount:${namespace}:default`)
  // Rotated: what it has is taken for right for a minute, and then no more.
  put('no token at all')
  expect(await ask()).toContain('403')
  clock.advance(60_000)
  expect(await ask()).toContain('401')
  // Its next token is found at once, since nothing else helps.
  put(token)
  expect(await ask()).toContain('403')
  await way.close()
})
