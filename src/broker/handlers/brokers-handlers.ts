import { askControllerHandler } from './10002-ask-controller.ts'
import { describeBacklogsHandler } from './10003-describe-backlogs.ts'
import { describeLogEndsHandler } from './10004-describe-log-ends.ts'
import { fetchMetadataHandler } from './10001-fetch-metadata.ts'
import { alterPartitionHandler } from './56-alter-partition.ts'
import { brokerRegistrationHandler } from './62-broker-registration.ts'
import { brokerHeartbeatHandler } from './63-broker-heartbeat.ts'
import { allocateProducerIdsHandler } from './67-allocate-producer-ids.ts'
import type { Partitions } from '../partition/partitions.ts'
import type { Service } from './brokers-calls.ts'
import type { Handler } from './handler.ts'

/** What brokers say to each other, on the private listener; from the first moment that `service` is there. */
export function brokersHandlers(
  service: Service,
  partitions: () => Partitions | undefined,
): Handler[] {
  return [
    alterPartitionHandler(service),
    brokerRegistrationHandler(service),
    brokerHeartbeatHandler(service),
    allocateProducerIdsHandler(service),
    fetchMetadataHandler(service),
    askControllerHandler(service),
    describeBacklogsHandler(partitions),
    describeLogEndsHandler(partitions),
  ]
}
