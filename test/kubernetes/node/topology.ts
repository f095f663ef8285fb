/**
 * Addresses of one cluster, out of those that RFC 2544 keeps for benchmarks, so that they are nobody's. Nodes hang
 * on a bridge in a network namespace of its own, and so does this machine, by one link: a test reaches the API
 * server, nodes, pods and Services by their addresses, and nothing leaves the machine.
 */
export interface Topology {
  /** Distinguishes the clusters of one machine. */
  readonly index: number
  /** This machine's end, where the API server and DNS listen. */
  readonly host: string
  readonly hostInterface: string
  readonly switchNamespace: string
  readonly serviceRange: string
  readonly podRange: string
  readonly nodes: readonly NodePlace[]
}

export interface NodePlace {
  readonly name: string
  readonly address: string
  readonly podRange: string
  readonly networkNamespace: string
  /** The switch's end of its cable. */
  readonly port: string
}

export const topologiesMax = 64

/** How many pods a node can have addresses for. */
export const podsMax = 50

/** As many as a cluster's range of pods has room for. */
export const nodesMax = 4

export function topologyOf(index: number, nodeCount: number): Topology {
  const nodes = Array.from({ length: nodeCount }, (_, at) => ({
    name: `node-${at + 1}`,
    address: `198.18.${index}.${at + 1}`,
    podRange: `198.19.${index}.${64 * at}/26`,
    networkNamespace: `lc${index}-node-${at + 1}`,
    port: `port-${at + 1}`,
  }))
  return {
    index,
    host: `198.18.${index}.254`,
    hostInterface: `lc${index}-host`,
    switchNamespace: `lc${index}-switch`,
    serviceRange: `198.18.${128 + index}.0/24`,
    podRange: `198.19.${index}.0/24`,
    nodes,
  }
}
