import type { Scenario } from './scenario.ts'
import { backlog } from './scenarios/backlog.ts'
import { failover } from './scenarios/failover.ts'
import { firstRecord } from './scenarios/first-record.ts'
import { idle } from './scenarios/idle.ts'
import { idleConsumers } from './scenarios/idle-consumers.ts'
import { keyedProducers } from './scenarios/keyed-producers.ts'
import { manyPartitions } from './scenarios/many-partitions.ts'
import { replicated } from './scenarios/replicated.ts'
import { replicatedPartitions } from './scenarios/replicated-partitions.ts'
import { tail } from './scenarios/tail.ts'
import { throttledDisk } from './scenarios/throttled-disk.ts'
import { throughput } from './scenarios/throughput.ts'

/** In the order of the page. */
export const scenarios: readonly Scenario[] = [
  throttledDisk,
  throughput,
  backlog,
  tail,
  keyedProducers,
  idleConsumers,
  idle,
  firstRecord,
  manyPartitions,
  replicated,
  failover,
  replicatedPartitions,
]
