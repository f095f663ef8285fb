import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { killAll, processesOf } from '../processes.ts'
import { processesIn, removeGroup } from './cgroups.ts'
import { command } from './command.ts'
import { removeNetwork } from './network.ts'
import type { Topology } from './topology.ts'

/**
 * Takes away what the nodes of a cluster left outside of its folder, and every mount inside. In the order of who
 * would make more: processes, mounts, what is written in fixed places, control groups, networks.
 */
export async function removeNodes(folder: string, topology: Topology): Promise<void> {
  await killEverything(folder, topology)
  const sockets = shimSockets(folder)
  for (const path of mountsUnder(folder)) command('umount', '--lazy', path)
  for (const path of [...sockets, ...podLogLinks(folder), ...networkResults(folder)]) {
    rmSync(path, { force: true })
  }
  for (const { networkNamespace } of topology.nodes) removeGroup(networkNamespace)
  removeNetwork(topology)
}

async function killEverything(folder: string, { nodes }: Topology): Promise<void> {
  for (;;) {
    const inPods = nodes.flatMap(({ networkNamespace }) => processesIn(networkNamespace))
    const pids = [...processesOf(folder), ...inPods]
    if (pids.length === 0) return
    await killAll(pids)
  }
}

/** Deepest first. */
function mountsUnder(folder: string): string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map(line => line.split(' ')[1] ?? '')
    .filter(path => path.startsWith(`${folder}/`))
    .toReversed()
}

/** Of the shims of containerd, which lie in /run wherever its own state is. */
function shimSockets(folder: string): string[] {
  return nodeFolders(folder).flatMap(node => {
    const bundles = join(node, 'containerd-state/io.containerd.runtime.v2.task/k8s.io')
    return listed(bundles)
      .map(id => join(bundles, id, 'address'))
      .filter(file => existsSync(file))
      .map(file => readFileSync(file, 'utf8').replace(/^unix:\/\//, ''))
  })
}

/** Kubelet makes a link for each log of a container, in a fixed place. */
function podLogLinks(folder: string): string[] {
  const place = '/var/log/containers'
  return listed(place)
    .map(name => join(place, name))
    .filter(link => readlinkSync(link).startsWith(`${folder}/`))
}

/** What CNI remembers of each pod, in a fixed place, by the id of its sandbox. */
function networkResults(folder: string): string[] {
  const place = '/var/lib/cni/results'
  const sandboxes = nodeFolders(folder).flatMap(node =>
    listed(join(node, 'containerd/io.containerd.grpc.v1.cri/sandboxes')),
  )
  return listed(place)
    .filter(name => sandboxes.some(id => name.includes(id)))
    .map(name => join(place, name))
}

function nodeFolders(folder: string): string[] {
  return listed(join(folder, 'nodes')).map(name => join(folder, 'nodes', name))
}

function listed(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}
