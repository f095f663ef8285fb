import type { Api } from '../field.ts'
import { apiByKey } from '../messages/index.ts'
import { brokerStatus } from './10000-broker-status.ts'
import { fetchMetadata } from './10001-fetch-metadata.ts'
import { askController } from './10002-ask-controller.ts'
import { describeBacklogs } from './10003-describe-backlogs.ts'
import { describeLogEnds } from './10004-describe-log-ends.ts'
import { alterPartition } from './56-alter-partition.ts'
import { brokerRegistration } from './62-broker-registration.ts'
import { brokerHeartbeat } from './63-broker-heartbeat.ts'
import { allocateProducerIds } from './67-allocate-producer-ids.ts'

export * from './10000-broker-status.ts'
export * from './10001-fetch-metadata.ts'
export * from './10002-ask-controller.ts'
export * from './10003-describe-backlogs.ts'
export * from './10004-describe-log-ends.ts'
export * from './56-alter-partition.ts'
export * from './62-broker-registration.ts'
export * from './63-broker-heartbeat.ts'
export * from './67-allocate-producer-ids.ts'

/** Messages of Kafka that brokers speak to their controller, and nobody else: with tagged fields of ours. */
export const brokersApis: readonly Api[] = [
  alterPartition,
  brokerRegistration,
  brokerHeartbeat,
  allocateProducerIds,
]

/** And APIs that Kafka does not have. No client is told of any. */
const privateApis: ReadonlyMap<number, Api> = new Map(
  [
    ...brokersApis,
    brokerStatus,
    fetchMetadata,
    askController,
    describeBacklogs,
    describeLogEnds,
  ].map(api => [api.key, api]),
)

/** As `apiByKey`, on the private listener. */
export function privateApiByKey(key: number): Api | undefined {
  return privateApis.get(key) ?? apiByKey(key)
}
