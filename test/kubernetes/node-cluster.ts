import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from '../helpers/eventually.ts'
import { ClusterNames } from './cluster-names.ts'
import { Component } from './component.ts'
import {
  ControlPlane,
  controlPlaneIn,
  type ControlPlaneOptions,
  usualControllers,
} from './control-plane/control-plane.ts'
import { storageClassObject } from './node/disk.ts'
import { pauseArchive } from './node/images.ts'
import { claimTopology, makeNetwork } from './node/network.ts'
import { Node } from './node/node.ts'
import { nodesMax, type Topology, topologyOf } from './node/topology.ts'
import { builtProgram } from './programs/built.ts'

/**
 * A real Kubernetes of some nodes on this machine, in network namespaces: kubelet, containerd, runc, kube-proxy and
 * DNS, with local disks as static PersistentVolumes of the class `local-nvme`. Needs root. The control plane runs
 * where the test does, which reaches pods and Services by their addresses.
 */
export class NodeCluster {
  readonly plane: ControlPlane
  readonly nodes: readonly Node[]
  /** The address of its DNS. */
  readonly dns: string
  readonly names: ClusterNames

  constructor(folder: string) {
    const topology = readTopology(folder)
    if (topology === null) throw new Error(`the cluster in ${folder} has no nodes`)
    this.plane = new ControlPlane(folder)
    this.dns = topology.host
    this.names = new ClusterNames(this.dns)
    this.nodes = topology.nodes.map(place => new Node(folder, topology, place))
  }

  node(name: string): Node {
    const found = this.nodes.find(node => node.name === name)
    if (found === undefined) throw new Error(`there is no node ${name}`)
    return found
  }

  /**
   * Until pods on these nodes reach the API server by its Service. One that ends in order takes itself out of that; once it is back,
   * kube-proxy learns so when it asks again, after a pause that has grown to as much as a minute (client-go's reflectors),
   * and after another one where that first question came before the API server knew who may ask what.
   */
  async untilApiServerIsReached(nodes = this.nodes): Promise<void> {
    const asked = ['get', 'service', 'kubernetes', '-o', 'jsonpath={.spec.clusterIP}']
    const { stdout: address } = await this.plane.kubectl(asked)
    await eventually(
      'nodes that lead to the API server',
      () => Promise.all(nodes.map(node => node.reaches(address, 443))),
      reached => reached.every(Boolean),
      reachedMsMax,
    )
  }

  /** Gives each node an image out of an OCI archive. */
  async importImage(archive: string): Promise<void> {
    await Promise.all(this.nodes.map(node => node.importImage(archive)))
  }
}

export interface NodeClusterOptions extends ControlPlaneOptions {
  /** 1 to 4; by default 3. */
  readonly nodeCount?: number
}

/** Starts one and resolves when its nodes are ready. Whoever owns the folder ends what is left where this throws. */
export async function nodeClusterIn(
  folder: string,
  { nodeCount = 3, ...options }: NodeClusterOptions,
): Promise<NodeCluster> {
  if (nodeCount > nodesMax) throw new Error(`a cluster has at most ${nodesMax} nodes`)
  const topology = claimTopology(nodeCount)
  const kept: KeptTopology = { index: topology.index, nodeCount }
  writeFileSync(topologyFile(folder), JSON.stringify(kept))
  makeNetwork(topology)
  const pause = pauseArchive()
  const controllers = [
    ...usualControllers,
    'node-lifecycle-controller',
    'taint-eviction-controller',
  ]
  const wished = { controllers, scheduler: true, serviceRange: topology.serviceRange, ...options }
  const plane = await controlPlaneIn({ folder, address: topology.host }, wished)
  const nodes = topology.nodes.map(place => Node.define(folder, topology, place, plane.url))
  await Promise.all(
    nodes.map(async node => {
      await node.startContainers()
      await node.importImage(pause)
      await node.startKubernetes()
    }),
  )
  await defineDns(folder, topology).start()
  const objects = [storageClassObject, ...nodes.flatMap(({ disks }) => disks.map(d => d.object))]
  await plane.apply(objects)
  await eventually(
    'ready nodes',
    () => readyNodes(plane),
    ready => ready === nodes.length,
  )
  return new NodeCluster(folder)
}

/** Three of kube-proxy's longest pauses. */
const reachedMsMax = 180_000

async function readyNodes(plane: ControlPlane): Promise<number> {
  const { stdout } = await plane.kubectl(['get', 'nodes', '-o', 'json'])
  const { items } = JSON.parse(stdout) as {
    items: { status: { conditions?: { type: string; status: string }[] } }[]
  }
  return items.filter(({ status }) =>
    status.conditions?.some(each => each.type === 'Ready' && each.status === 'True'),
  ).length
}

/** DNS of the cluster, for its Services and pods alone, beside the API server: it outlives the nodes. */
function defineDns(folder: string, { host }: Topology): Component {
  const { kubeconfig } = new ControlPlane(folder)
  const file = join(folder, 'Corefile')
  writeFileSync(
    file,
    `.:53 {
  bind ${host}
  errors
  ready ${host}:8181
  kubernetes cluster.local in-addr.arpa {
    kubeconfig ${kubeconfig} test
    ttl 1
  }
}
`,
  )
  return Component.define({
    folder,
    name: 'coredns',
    program: builtProgram('coredns'),
    args: ['-conf', file],
    readyUrl: `http://${host}:8181/ready`,
  })
}

function topologyFile(folder: string): string {
  return join(folder, 'topology.json')
}

/** What all addresses follow from. */
interface KeptTopology {
  readonly index: number
  readonly nodeCount: number
}

/** Of the cluster in `folder`; null where it has no nodes. */
export function readTopology(folder: string): Topology | null {
  const file = topologyFile(folder)
  if (!existsSync(file)) return null
  const { index, nodeCount } = JSON.parse(readFileSync(file, 'utf8')) as KeptTopology
  return topologyOf(index, nodeCount)
}
