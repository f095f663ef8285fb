import type { TestProject } from 'vitest/node'
import { makeFolder, removeFolder } from '../cluster-folder.ts'
import { startCluster } from '../cluster.ts'
import { ApiAccess } from '../control-plane/access.ts'
import { nodeArchive } from '../node/images.ts'
import { whyNoNodes } from '../node/machine.ts'
import { productArchive } from '../node/product-image.ts'
import { adoptOutside } from '../outside.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the cluster that the node scenarios share; empty where there is none. */
    readonly nodeClusterFolder: string
    /** The address of its DNS. */
    readonly clusterDns: string
    /** Why there is no cluster, or none whose nodes are ours; empty where there is. */
    readonly noCluster: string
    readonly noNodes: string
  }
}

type Teardown = () => Promise<void>

export async function setup(project: TestProject): Promise<Teardown> {
  const outside = process.env['CLUSTER_KUBECONFIG']
  if (outside !== undefined) return useOutside(project, outside)
  const why = whyNoNodes() ?? ''
  provide(project, { folder: '', dns: '', noCluster: why, noNodes: why })
  return why === '' ? useOwn(project) : async () => {}
}

async function useOwn(project: TestProject): Promise<Teardown> {
  // One more than brokers have, so that there is a place for one whose node is gone.
  const cluster = await startCluster({ nodeCount: 4 })
  try {
    for (const archive of [nodeArchive(), productArchive()]) await cluster.importImage(archive)
  } catch (error) {
    await cluster[Symbol.asyncDispose]()
    throw error
  }
  const { folder } = cluster.plane
  provide(project, { folder, dns: cluster.dns, noCluster: '', noNodes: '' })
  return async () => cluster[Symbol.asyncDispose]()
}

async function useOutside(project: TestProject, kubeconfig: string): Promise<Teardown> {
  const name = `outside-${process.pid}`
  const folder = makeFolder(name, process.pid)
  await adoptOutside(folder, kubeconfig)
  const asked = [
    '-n',
    'kube-system',
    'get',
    'service',
    'kube-dns',
    '-o',
    'jsonpath={.spec.clusterIP}',
  ]
  const dns = (await new ApiAccess(folder).kubectl(asked)).stdout
  provide(project, { folder, dns, noCluster: '', noNodes: `nodes of ${kubeconfig} are not ours` })
  return async () => removeFolder(name)
}

interface Provided {
  readonly folder: string
  readonly dns: string
  readonly noCluster: string
  readonly noNodes: string
}

function provide(project: TestProject, { folder, dns, noCluster, noNodes }: Provided): void {
  project.provide('nodeClusterFolder', folder)
  project.provide('clusterDns', dns)
  project.provide('noCluster', noCluster)
  project.provide('noNodes', noNodes)
}
