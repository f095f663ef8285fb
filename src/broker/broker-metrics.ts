import type { LogDirectory } from './log/directory/log-directory.ts'
import type { Partitions } from './partition/partitions.ts'
import { endpointFor, type ListenerAddress } from './config/listeners.ts'
import { inSyncNumbers } from './in-sync-numbers.ts'
import type { BoundListener } from './server/server.ts'
import type { BrokerNumbers } from './telemetry/sources.ts'
import type { Metrics } from './telemetry/metrics.ts'

/** The numbers of the data directory and of every log in it. */
export function attachLogs(
  metrics: Metrics,
  directory: LogDirectory,
  partitions: Partitions,
): void {
  metrics.attach({
    storage: () => directory.numbers(),
    space: () => directory.space,
    cleaner: () => directory.cleanerNumbers(),
    start: () => ({ class: directory.startClass, reason: directory.startReason }),
    appends: function* () {
      for (const { id, appended } of partitions.all()) yield { topic: id.topic, ...appended }
    },
    inSync: () => inSyncNumbers(partitions),
    offlinePartitions: () => Array.from(partitions.offline()).length,
    logs: function* () {
      for (const { id, extent, role } of partitions.all()) {
        if (extent === null || role === null) continue
        yield { ...role, topic: id.topic, partition: id.partition, ...extent }
      }
    },
  })
}

/** As metrics tell the broker: where a client finds it that came to the first listener. */
export function ownNumbers(
  id: number,
  listeners: readonly ListenerAddress[],
  bound: { readonly listeners: readonly BoundListener[] },
): BrokerNumbers {
  const [configured, at] = [listeners[0], bound.listeners[0]]
  if (configured === undefined || at === undefined) return { id, address: '' }
  const { host, port } = endpointFor(configured, at)
  return { id, address: `${host}:${port}` }
}
