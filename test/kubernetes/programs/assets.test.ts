import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { builtProgram } from './built.ts'
import { kubectlProgram } from './fetched.ts'

let assets: string

beforeEach(() => {
  assets = mkdtempSync(join(tmpdir(), 'logcluster-assets-'))
  vi.stubEnv('KUBEBUILDER_ASSETS', assets)
})

afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(assets, { recursive: true })
})

test('the programs that KUBEBUILDER_ASSETS has are taken, and none of them is built or fetched', () => {
  for (const name of ['etcd', 'kube-apiserver', 'kubectl']) writeFileSync(join(assets, name), '')
  expect(builtProgram('etcd')).toBe(join(assets, 'etcd'))
  expect(builtProgram('kube-apiserver')).toBe(join(assets, 'kube-apiserver'))
  expect(kubectlProgram()).toBe(join(assets, 'kubectl'))
})
