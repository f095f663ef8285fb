import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type NodePlace, podsMax, type Topology } from './topology.ts'

/** What the programs of one node are given to read. */
export interface NodeFiles {
  readonly containerd: string
  readonly kubelet: string
  /** Of containerd: where kubelet and `ctr` find it. */
  readonly socket: string
}

export const pauseImage = 'localhost/logcluster-pause:1'

/** Where containerd tells its metrics, which says that it is up. */
export const containerdPort = 1338
export const kubeletHealthPort = 10_248

/** Writes the configuration of a node into its folder. */
export function writeConfiguration(folder: string, topology: Topology, node: NodePlace): NodeFiles {
  const cni = join(folder, 'cni')
  for (const path of [folder, cni, join(folder, 'pods')]) mkdirSync(path, { recursive: true })
  const files = {
    containerd: join(folder, 'containerd.toml'),
    kubelet: join(folder, 'kubelet.json'),
    socket: join(folder, 'containerd.sock'),
  }
  writeFileSync(join(cni, '10-pods.conflist'), JSON.stringify(podNetwork(folder, node)))
  writeFileSync(files.containerd, containerd(folder, files.socket, node))
  writeFileSync(files.kubelet, JSON.stringify(kubelet(folder, files.socket, { topology, node })))
  return files
}

function podNetwork(folder: string, node: NodePlace): object {
  const ipam = {
    type: 'host-local',
    dataDir: join(folder, 'addresses'),
    ranges: [[{ subnet: node.podRange }]],
    // Without it pods have no way out.
    routes: [{ dst: '0.0.0.0/0' }],
  }
  return {
    cniVersion: '0.4.0',
    name: node.networkNamespace,
    plugins: [
      { type: 'bridge', bridge: 'pods', isGateway: true, hairpinMode: true, ipam },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  }
}

/** Whatever it writes lies in the node's folder, sockets of shims excepted. */
function containerd(folder: string, socket: string, node: NodePlace): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"'
  return `version = 2
root = "${join(folder, 'containerd')}"
state = "${join(folder, 'containerd-state')}"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "${socket}"
[metrics]
  address = "${node.address}:${containerdPort}"
[${cri}]
  sandbox_image = "${pauseImage}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
[${cri}.cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "${join(folder, 'cni')}"
[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[${cri}.containerd.runtimes.runc.options]
  Root = "${join(folder, 'runc')}"
`
}

function kubelet(
  folder: string,
  socket: string,
  { topology, node }: { topology: Topology; node: NodePlace },
): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: node.address,
    healthzBindAddress: node.address,
    healthzPort: kubeletHealthPort,
    containerRuntimeEndpoint: `unix://${socket}`,
    clusterDomain: 'cluster.local',
    clusterDNS: [topology.host],
    resolvConf: '',
    podLogsDir: join(folder, 'pods'),
    volumePluginDir: join(folder, 'volume-plugins'),
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${node.networkNamespace}`,
    enforceNodeAllocatable: [],
    failCgroupV1: false,
    failSwapOn: false,
    evictionHard: { 'memory.available': '50Mi' },
    // A full disk of this machine is no business of the node's.
    imageGCHighThresholdPercent: 100,
    maxPods: podsMax,
    // So that a node that dies is seen to be dead within seconds.
    nodeLeaseDurationSeconds: 8,
    nodeStatusUpdateFrequency: '3s',
  }
}
