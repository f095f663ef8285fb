import {
  alterClientQuotas,
  alterPartitionReassignments,
  alterReplicaLogDirs,
  alterUserScramCredentials,
  apiVersions,
  createAcls,
  createDelegationToken,
  deleteAcls,
  describeAcls,
  describeClientQuotas,
  describeCluster,
  describeDelegationToken,
  describeLogDirs,
  describeQuorum,
  describeTransactions,
  describeUserScramCredentials,
  electLeaders,
  expireDelegationToken,
  listPartitionReassignments,
  listTransactions,
  renewDelegationToken,
  saslAuthenticate,
  saslHandshake,
  unregisterBroker,
  updateFeatures,
} from '../../../src/broker/wire/messages/index.ts'
import { sweep } from '../sweep.ts'

const anyAcl = {
  resourceTypeFilter: 1,
  resourceNameFilter: null,
  patternTypeFilter: 1,
  principalFilter: null,
  hostFilter: null,
  operation: 1,
  permissionType: 1,
}
const owner = { principalType: 'User', principalName: 'alice' }
const hmac = Buffer.from('no such token')

/** What an administrator asks, and a broker without security answers. */
export const adminSweeps = [
  ...sweep({
    api: apiVersions,
    base: () => ({ clientSoftwareName: 'differential', clientSoftwareVersion: '1.0' }),
  }),
  ...sweep({ api: saslHandshake, base: () => ({ mechanism: 'PLAIN' }) }),
  ...sweep({ api: saslAuthenticate, base: () => ({ authBytes: Buffer.from('token') }) }),
  ...sweep({ api: describeAcls, base: () => anyAcl }),
  ...sweep({
    api: createAcls,
    base: () => {
      const pattern = { resourceType: 2, resourceName: 'a', resourcePatternType: 3 }
      const rule = { principal: 'User:alice', host: '*', operation: 3, permissionType: 3 }
      return { creations: [{ ...pattern, ...rule }] }
    },
  }),
  ...sweep({ api: deleteAcls, base: () => ({ filters: [anyAcl] }) }),
  ...sweep({
    api: alterReplicaLogDirs,
    base: async (session, at) => {
      const topics = [{ name: await session.topic(at), partitions: [0] }]
      return { dirs: [{ path: '/no/such/folder', topics }] }
    },
  }),
  ...sweep({
    api: describeLogDirs,
    base: async (session, at) => ({
      topics: [{ topic: await session.topic(at), partitions: [0] }],
    }),
  }),
  ...sweep({
    api: createDelegationToken,
    base: () => {
      const asked = { ownerPrincipalType: null, ownerPrincipalName: null, maxLifetimeMs: -1 }
      return { ...asked, renewers: [owner] }
    },
  }),
  ...sweep({ api: renewDelegationToken, base: () => ({ hmac, renewPeriodMs: -1 }) }),
  ...sweep({ api: expireDelegationToken, base: () => ({ hmac, expiryTimePeriodMs: -1 }) }),
  ...sweep({ api: describeDelegationToken, base: () => ({ owners: [owner] }) }),
  ...sweep({
    api: electLeaders,
    base: async (session, at) => {
      const topicPartitions = [{ topic: await session.topic(at), partitions: [0] }]
      return { electionType: 0, topicPartitions, timeoutMs: 30_000 }
    },
    // Null is every partition of the broker.
    except: ['timeoutMs', 'topicPartitions'],
  }),
  ...sweep({
    api: alterPartitionReassignments,
    base: async (session, at) => {
      const partitions = [{ partitionIndex: 0, replicas: [1] }]
      return { timeoutMs: 30_000, topics: [{ name: await session.topic(at), partitions }] }
    },
    except: ['timeoutMs'],
  }),
  ...sweep({
    api: listPartitionReassignments,
    base: async (session, at) => {
      const topics = [{ name: await session.topic(at), partitionIndexes: [0] }]
      return { timeoutMs: 30_000, topics }
    },
    except: ['timeoutMs'],
  }),
  ...sweep({
    api: describeClientQuotas,
    base: () => ({
      components: [{ entityType: 'user', matchType: 0, match: 'alice' }],
      strict: false,
    }),
  }),
  ...sweep({
    api: alterClientQuotas,
    base: () => {
      const entity = [{ entityType: 'user', entityName: 'nobody' }]
      const ops = [{ key: 'producer_byte_rate', value: 1e6, remove: false }]
      return { entries: [{ entity, ops }], validateOnly: true }
    },
    // What is set would be in force.
    except: ['validateOnly'],
  }),
  ...sweep({
    api: describeUserScramCredentials,
    base: () => ({ users: [{ name: 'nobody' }] }),
    except: ['users'],
  }),
  ...sweep({
    api: alterUserScramCredentials,
    base: () => {
      const salted = { salt: Buffer.from('salt'), saltedPassword: Buffer.alloc(32) }
      const upsertions = [{ name: 'alice', mechanism: 1, iterations: 4096, ...salted }]
      return { deletions: [{ name: 'nobody', mechanism: 1 }], upsertions }
    },
  }),
  ...sweep({
    api: describeQuorum,
    base: () => ({
      topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }],
    }),
  }),
  ...sweep({
    api: updateFeatures,
    base: () => ({
      timeoutMs: 30_000,
      featureUpdates: [{ feature: 'no.such', maxVersionLevel: 1 }],
      validateOnly: true,
    }),
    except: ['timeoutMs', 'validateOnly'],
  }),
  ...sweep({
    api: describeCluster,
    base: () => ({ includeClusterAuthorizedOperations: true, endpointType: 1 }),
  }),
  // Kafka would forget itself.
  ...sweep({ api: unregisterBroker, base: () => ({ brokerId: 4711 }), except: ['brokerId'] }),
  ...sweep({ api: describeTransactions, base: () => ({ transactionalIds: ['no-such'] }) }),
  ...sweep({
    api: listTransactions,
    base: () => ({ stateFilters: ['NoSuchState'], producerIdFilters: [4711] }),
  }),
]
