/** What the objects of one broker are made from beside the spec of its cluster; each was decided once and recorded. */
export interface BrokerFacts {
  /** Of the LogBroker, `orders-main-0`. */
  readonly name: string
  readonly pool: string
  readonly slot: number
  /** Kafka's `node.id`. */
  readonly brokerId: number
  /** Which of its disks, from 1. */
  readonly incarnation: number
  readonly clusterId: string
  /** The whole reference, with tag. */
  readonly image: string
  /** The port at every node, by listener; all that are exposed so are in it. */
  readonly nodePorts: ReadonlyMap<string, number>
  /** The value of `restartedAt` that it obeys; '' for none. */
  readonly restartedAt: string
  /** What a pod is told that is made anew: only where its volume keeps it on the node that has it. */
  readonly rack?: string
}
