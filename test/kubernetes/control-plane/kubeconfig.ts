import { readFileSync, writeFileSync } from 'node:fs'
import type { KeyPair } from './certificates.ts'

/** How somebody reaches the API server, and as whom. */
export interface Access {
  readonly url: string
  /** The certificate of the authority, a path. */
  readonly authority: string
  readonly as: KeyPair | { readonly token: string }
  /** Where what names no namespace goes. */
  readonly namespace?: string
}

/** Writes a kubeconfig that stands for itself: whatever it names is in it. JSON, which is YAML too. */
export function writeKubeconfig(path: string, access: Access): string {
  const { url, authority, as, namespace = 'default' } = access
  const user =
    'token' in as
      ? { token: as.token }
      : {
          'client-certificate-data': base64Of(as.certificate),
          'client-key-data': base64Of(as.key),
        }
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'test', cluster: { server: url, 'certificate-authority-data': base64Of(authority) } },
    ],
    users: [{ name: 'test', user }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace } }],
    'current-context': 'test',
  }
  writeFileSync(path, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 })
  return path
}

/** Which API server a kubeconfig that we wrote leads to. */
export function urlOf(path: string): string {
  const config = JSON.parse(readFileSync(path, 'utf8')) as {
    readonly clusters: readonly [{ readonly cluster: { readonly server: string } }]
  }
  return config.clusters[0].cluster.server
}

function base64Of(path: string): string {
  return readFileSync(path).toString('base64')
}
