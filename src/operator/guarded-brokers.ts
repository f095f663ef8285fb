import type { Brokers } from './brokers/brokers.ts'
import { BrokerError } from './brokers/broker-error.ts'

/**
 * `brokers`, to whom nothing is said that changes anything once `mayAct` is false. Asked right before each request is
 * sent, as for writes to the API server: a process that was stopped and goes on must not end what it had begun. What it
 * had sent before is on its way; brokers cannot refuse that, and the next pass of the new leader takes it back.
 */
export function guarded(brokers: Brokers, mayAct: () => boolean): Brokers {
  const check = async (): Promise<void> => {
    if (mayAct()) return
    throw new BrokerError('unreachable', 'nothing was sent: this process does not lead any more')
  }
  return {
    status: broker => brokers.status(broker),
    describeConfigs: (broker, of) => brokers.describeConfigs(broker, of),
    listTopics: broker => brokers.listTopics(broker),
    describeTopics: (broker, names) => brokers.describeTopics(broker, names),
    alterConfigs: (broker, changes) => check().then(() => brokers.alterConfigs(broker, changes)),
    createTopics: (broker, topics) => check().then(() => brokers.createTopics(broker, topics)),
    deleteTopics: (broker, ids) => check().then(() => brokers.deleteTopics(broker, ids)),
    createPartitions: (broker, topics) =>
      check().then(() => brokers.createPartitions(broker, topics)),
    retireDirectory: (broker, wish) => check().then(() => brokers.retireDirectory(broker, wish)),
    places: (broker, topics) => brokers.places(broker, topics),
    moveReplicas: (broker, moves) => check().then(() => brokers.moveReplicas(broker, moves)),
    unregister: (broker, id) => check().then(() => brokers.unregister(broker, id)),
    close: () => brokers.close(),
  }
}
