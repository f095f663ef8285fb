import { copyFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { realClock } from '../../../src/env/real/clock.ts'
import { HttpsObjects } from '../../../src/kubernetes/https-objects.ts'
import { Authority } from '../control-plane/certificates.ts'
import { RealRing } from '../ring.ts'
import { sharedControlPlane } from './shared.ts'

test('the client of a broker reads its token again after a minute, or when it is refused, and its authority when it is not trusted', async () => {
  const plane = sharedControlPlane()
  await plane.kubectl(['create', 'namespace', 'tokens'])
  const ring = await RealRing.make(plane, 'tokens', 'orders')
  const { tokenFile, authorityFile, token, url } = await plane.serviceAccount(
    'tokens',
    'orders-broker',
  )
  let laterMs = 0
  const clock = { ...realClock, monotonic: () => realClock.monotonic() + laterMs }
  const files = { tokenFile, caFile: authorityFile }
  const objects = new HttpsObjects({ ...files, url, namespace: 'tokens', clock })
  const get = () => objects.get('ConfigMap', 'orders-md-00')
  writeFileSync(tokenFile, 'not a token')
  expect(await get()).toMatchObject({
    type: 'unavailable',
    isUnknown: false,
    reason: expect.stringMatching(/GET https:.*orders-md-00: 401 Unauthorized/),
  })
  // As kubelet replaces it.
  writeFileSync(tokenFile, `${token}\n`)
  expect(await get()).toMatchObject({ type: 'found' })
  writeFileSync(tokenFile, 'not a token')
  expect(await get()).toMatchObject({ type: 'found' })
  laterMs += 60_001
  expect(await get()).toMatchObject({ type: 'unavailable' })
  writeFileSync(tokenFile, token)
  expect(await get()).toMatchObject({ type: 'found' })
  objects.close()

  const other = Authority.create(`${plane.folder}/another-authority`)
  const early = new HttpsObjects({
    url,
    tokenFile,
    caFile: other.certificate,
    namespace: 'tokens',
    clock,
  })
  expect(await early.get('Lease', 'orders-controller')).toMatchObject({
    type: 'unavailable',
    reason: expect.stringMatching(/certificate/),
  })
  copyFileSync(authorityFile, other.certificate)
  expect(await early.get('Lease', 'orders-controller')).toMatchObject({ type: 'found' })
  early.close()
  ring.close()
})

test('it may get and update its own objects and nothing else, and never writes without a version', async () => {
  const plane = sharedControlPlane()
  await plane.kubectl(['create', 'namespace', 'rights'])
  const ring = await RealRing.make(plane, 'rights', 'orders')
  await plane.kubectl(['create', 'configmap', 'foreign', '-n', 'rights'])
  const objects = ring.objects()
  const found = await objects.get('ConfigMap', 'orders-snap-b-15')
  if (found.type !== 'found') throw new Error(found.type)
  expect(await objects.update('ConfigMap', found.object)).toEqual({
    type: 'stored',
    object: found.object,
  })
  expect(await objects.get('ConfigMap', 'foreign')).toMatchObject({
    type: 'unavailable',
    isUnknown: false,
    reason: expect.stringMatching(/403/),
  })
  const metadata = { ...found.object.metadata, resourceVersion: '' }
  await expect(objects.update('ConfigMap', { ...found.object, metadata })).rejects.toThrow(
    'which version it replaces',
  )
  ring.close()
})
