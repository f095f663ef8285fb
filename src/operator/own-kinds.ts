import type { LogBroker } from './crd/broker.ts'
import type { LogCluster } from './crd/cluster.ts'
import { apiVersion } from './crd/object.ts'
import type { LogTopic } from './crd/topic.ts'
import { namespaced } from './kubernetes/resources.ts'

/** Our own kinds, as the API server's paths know them. */
export const logClusters = namespaced<LogCluster>(apiVersion, 'LogCluster', 'logclusters')
export const logTopics = namespaced<LogTopic>(apiVersion, 'LogTopic', 'logtopics')
export const logBrokers = namespaced<LogBroker>(apiVersion, 'LogBroker', 'logbrokers')
