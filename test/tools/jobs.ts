import { clusterTools } from './cluster-tools.ts'
import { connectJobs } from './connect.ts'
import type { Job } from './job.ts'
import { kafkaTools } from './kafka-tools.ts'
import { otherJobs } from './mirror-and-streams.ts'

/** Every job, in the order of the page. */
export const jobs: readonly Job[] = [...kafkaTools, ...clusterTools, ...connectJobs, ...otherJobs]
