import type { LogCluster } from '../../operator/crd/cluster.ts'
import { get, KubectlError, list, type Kubectl, type KubernetesObject } from './kubectl.ts'

export interface DocumentWish {
  /** The LogCluster. */
  readonly name: string
  readonly scope: readonly string[]
}

interface BrokerPod extends KubernetesObject {
  readonly status?: { readonly conditions?: readonly { type: string; status: string }[] }
}

/** `logcluster export` in a broker of the cluster: what it prints. @throws KubectlError */
export async function exportText(kubectl: Kubectl, wish: DocumentWish): Promise<string> {
  const { words, address } = await inside(kubectl, wish)
  return kubectl.run(['exec', ...words, '--', 'logcluster', 'export', address])
}

/** `logcluster import` in a broker of the cluster, of the document `text`: what it says. @throws KubectlError */
export async function importText(
  kubectl: Kubectl,
  wish: DocumentWish & { readonly isTopicsOnly: boolean },
  text: string,
): Promise<string> {
  const { words, address } = await inside(kubectl, wish)
  const options = wish.isTopicsOnly ? ['--topics-only'] : []
  const command = ['logcluster', 'import', '-', address, ...options]
  const said = await kubectl.run(['exec', '--stdin', ...words, '--', ...command], text)
  return said.trimEnd()
}

/** A broker that serves, as kubectl exec names it, and where clients are served there. */
async function inside(
  kubectl: Kubectl,
  { name, scope }: DocumentWish,
): Promise<{ words: string[]; address: string }> {
  const { metadata, spec } = await get<LogCluster>(kubectl, 'logcluster', name, scope)
  const within = `--namespace=${metadata.namespace}`
  const labels = `logcluster.dev/cluster=${name},app.kubernetes.io/component=broker`
  const pods = await list<BrokerPod>(kubectl, 'pods', [within, `--selector=${labels}`])
  const pod = pods.find(({ status }) =>
    status?.conditions?.some(each => each.type === 'Ready' && each.status === 'True'),
  )
  if (pod === undefined) {
    throw new KubectlError(
      `no broker of ${metadata.namespace}/${name} serves, so that none can be asked`,
    )
  }
  const port = spec.listeners?.[0]?.port ?? 9092
  return { words: [pod.metadata.name, within, '--container=broker'], address: `127.0.0.1:${port}` }
}
