import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../helpers/run.ts'
import { adminKubeconfig } from './control-plane/access.ts'
import { kubectlProgram } from './programs/fetched.ts'

interface Kubeconfig {
  readonly clusters: readonly [{ readonly cluster: Readonly<Record<string, string>> }]
}

/** Makes `folder` stand for a cluster that others made: the one that the current context of a kubeconfig leads to. */
export async function adoptOutside(folder: string, kubeconfig: string): Promise<void> {
  const args = ['config', 'view', '--raw', '--minify', '--flatten', '-o', 'json']
  const { stdout } = await run(kubectlProgram(), ['--kubeconfig', kubeconfig, ...args])
  const config = JSON.parse(stdout) as Kubeconfig
  const authority = config.clusters[0].cluster['certificate-authority-data'] ?? ''
  mkdirSync(join(folder, 'pki'))
  writeFileSync(join(folder, 'pki/ca.crt'), Buffer.from(authority, 'base64'))
  writeFileSync(adminKubeconfig(folder), stdout, { mode: 0o600 })
}
