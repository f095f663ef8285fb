import type { CredentialSource } from './credentials.ts'

/**
 * The current context of a kubeconfig: of `file`, or of KUBECONFIG and `~/.kube/config` where it is null. All its ways
 * to authenticate are client-node's. In a pod this is never called, so client-node is not loaded there: its import
 * takes 85 MB.
 */
export function kubeconfig(file: string | null): CredentialSource {
  return {
    read: async () => {
      const { KubeConfig } = await import('@kubernetes/client-node')
      const config = new KubeConfig()
      if (file === null) config.loadFromDefault()
      else config.loadFromFile(file)
      const cluster = config.getCurrentCluster()
      if (cluster === null) {
        throw new Error(
          `${file ?? 'the kubeconfig'} has no current cluster; name a kubeconfig with --kubeconfig or KUBECONFIG`,
        )
      }
      const options: Parameters<typeof config.applyToHTTPSOptions>[0] = {}
      await config.applyToHTTPSOptions(options)
      const headers = new Map(Object.entries(options.headers ?? {}))
      return {
        server: cluster.server.replace(/\/$/, ''),
        tls: {
          ca: textOf(options.ca),
          cert: textOf(options.cert),
          key: textOf(options.key),
          rejectUnauthorized: options.rejectUnauthorized !== false,
          servername: options.servername ?? null,
        },
        authorization: textOf(headers.get('Authorization')),
      }
    },
  }
}

function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : null
}
