import {
  clusterNames,
  folderOf,
  home,
  makeFolder,
  orphans,
  type Owner,
  removeFolder,
} from './cluster-folder.ts'
import {
  type ControlPlane,
  controlPlaneIn,
  type ControlPlaneOptions,
} from './control-plane/control-plane.ts'
import {
  type NodeCluster,
  nodeClusterIn,
  type NodeClusterOptions,
  readTopology,
} from './node-cluster.ts'
import { removeNodes } from './node/leftovers.ts'
import { keepMachine, restoreMachine } from './node/machine.ts'
import { keepUse } from './operator-use.ts'
import { killAll, processesOf } from './processes.ts'

export interface NamedOptions {
  /** Of the cluster, on this machine; by default one that says which process it belongs to. */
  readonly name?: string
  /** By default this process: where it dies, the next cluster's start removes this one. Null: until `down`. */
  readonly owner?: Owner
}

let serial = 0

function nameOf(options: NamedOptions): string {
  return options.name ?? `t${process.pid}-${serial++}`
}

/**
 * An API server without nodes, removed with all that it wrote when it is disposed of. Nothing of it needs root.
 *
 *     await using plane = await startControlPlane({ controllers: true })
 *     await plane.kubectl(['create', 'namespace', 'streaming'])
 */
export function startControlPlane(
  options: ControlPlaneOptions & NamedOptions = {},
): Promise<ControlPlane & AsyncDisposable> {
  return owned(options, folder => controlPlaneIn({ folder, address: '127.0.0.1' }, options))
}

/** A cluster of nodes, removed with all that it made when it is disposed of; see `whyNoNodes`. */
export function startCluster(
  options: NodeClusterOptions & NamedOptions = {},
): Promise<NodeCluster & AsyncDisposable> {
  return owned(options, folder => {
    keepMachine(home)
    return nodeClusterIn(folder, options)
  })
}

async function owned<Started extends object>(
  options: NamedOptions,
  start: (folder: string) => Promise<Started>,
): Promise<Started & AsyncDisposable> {
  await removeOrphans()
  const name = nameOf(options)
  const folder = makeFolder(name, options.owner === undefined ? process.pid : options.owner)
  const remove = async (): Promise<void> => {
    await keepUse(folder)
    await removeCluster(name)
  }
  try {
    return Object.assign(await start(folder), { [Symbol.asyncDispose]: remove })
  } catch (error) {
    await remove()
    throw error
  }
}

/** Ends whatever belongs to a cluster, whoever started it, and removes it. Does nothing where there is none. */
export async function removeCluster(name: string): Promise<void> {
  if (!clusterNames().includes(name)) return
  const folder = folderOf(name)
  await killAll(processesOf(folder))
  const topology = readTopology(folder)
  if (topology !== null) await removeNodes(folder, topology)
  removeFolder(name)
  if (!clusterNames().some(other => readTopology(folderOf(other)) !== null)) restoreMachine(home)
}

async function removeOrphans(): Promise<void> {
  for (const name of orphans()) await removeCluster(name)
}
