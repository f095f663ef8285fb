import { assert } from '../../lib/assert.ts'

/**
 * One error of the protocol. `retriable`: the same request may succeed later, so clients try again. `moved`: it may
 * succeed elsewhere, so they first ask anew for the leader, the coordinator or the controller.
 */
export interface ErrorRow {
  readonly name: ErrorName
  readonly code: number
  readonly retriable: boolean
  readonly moved: boolean
  /** One sentence for logs and for the error message fields of responses. */
  readonly message: string
}

const final = (code: number, message: string) => {
  return { code, retriable: false, moved: false, message }
}
const passing = (code: number, message: string) => ({ ...final(code, message), retriable: true })
const moved = (code: number, message: string) => ({ ...passing(code, message), moved: true })

/**
 * Every error code of Kafka's 4.3 line: `final` ones stay, `passing` ones may go away by themselves, and so may
 * `moved` ones, which say besides that what the client knows of the cluster is out of date.
 */
const table = {
  UNKNOWN_SERVER_ERROR: final(-1, 'The broker failed in a way no other error describes.'),
  NONE: final(0, 'No error.'),
  OFFSET_OUT_OF_RANGE: final(
    1,
    'The log has no such offset: it is before its start or past its end.',
  ),
  CORRUPT_MESSAGE: passing(2, 'The checksum or the shape of the records is wrong.'),
  UNKNOWN_TOPIC_OR_PARTITION: moved(3, 'The topic or the partition does not exist here.'),
  INVALID_FETCH_SIZE: final(4, 'The fetch size is not a size.'),
  LEADER_NOT_AVAILABLE: moved(5, 'The partition has no leader at the moment.'),
  NOT_LEADER_OR_FOLLOWER: moved(6, 'This broker does not lead the partition, or has no replica.'),
  REQUEST_TIMED_OUT: passing(7, 'The request took longer than it allowed.'),
  BROKER_NOT_AVAILABLE: final(8, 'The broker is not available.'),
  REPLICA_NOT_AVAILABLE: moved(9, 'The replica is not available here yet.'),
  MESSAGE_TOO_LARGE: final(10, 'The batch is larger than the topic allows (max.message.bytes).'),
  STALE_CONTROLLER_EPOCH: final(11, 'Another controller has taken over meanwhile.'),
  OFFSET_METADATA_TOO_LARGE: final(12, 'The metadata string of the committed offset is too long.'),
  NETWORK_EXCEPTION: moved(13, 'The connection ended before the response came.'),
  COORDINATOR_LOAD_IN_PROGRESS: passing(14, 'The coordinator is still loading its state.'),
  COORDINATOR_NOT_AVAILABLE: moved(15, 'There is no coordinator for this key at the moment.'),
  NOT_COORDINATOR: moved(16, 'Another broker coordinates this key.'),
  INVALID_TOPIC_EXCEPTION: final(
    17,
    'The topic name is not legal, or the topic does not allow this.',
  ),
  RECORD_LIST_TOO_LARGE: final(18, 'The batch does not fit into a log segment.'),
  NOT_ENOUGH_REPLICAS: passing(
    19,
    'Fewer replicas are in sync than the topic demands; not written.',
  ),
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: passing(
    20,
    'Written, but fewer replicas are in sync than the topic demands.',
  ),
  INVALID_REQUIRED_ACKS: final(21, 'acks must be -1 (all), 0 or 1.'),
  ILLEGAL_GENERATION: final(22, 'The group has moved on to another generation.'),
  INCONSISTENT_GROUP_PROTOCOL: final(23, 'The member has no protocol in common with its group.'),
  INVALID_GROUP_ID: final(24, 'The group id is empty or not legal.'),
  UNKNOWN_MEMBER_ID: final(25, 'The group has no such member.'),
  INVALID_SESSION_TIMEOUT: final(26, 'The session timeout is outside of what the broker allows.'),
  REBALANCE_IN_PROGRESS: final(27, 'The group is rebalancing: join it again.'),
  INVALID_COMMIT_OFFSET_SIZE: final(28, 'The committed offset with its metadata is too large.'),
  TOPIC_AUTHORIZATION_FAILED: final(29, 'Not allowed for this topic.'),
  GROUP_AUTHORIZATION_FAILED: final(30, 'Not allowed for this group.'),
  CLUSTER_AUTHORIZATION_FAILED: final(31, 'Not allowed for this cluster.'),
  INVALID_TIMESTAMP: final(32, 'A timestamp is further from now than the topic allows.'),
  UNSUPPORTED_SASL_MECHANISM: final(33, 'The listener does not offer this SASL mechanism.'),
  ILLEGAL_SASL_STATE: final(34, 'The request does not fit the state of the SASL exchange.'),
  UNSUPPORTED_VERSION: final(35, 'The broker does not speak this version of the request.'),
  TOPIC_ALREADY_EXISTS: final(36, 'A topic of this name exists already.'),
  INVALID_PARTITIONS: final(37, 'The partition count is not legal.'),
  INVALID_REPLICATION_FACTOR: final(
    38,
    'The replication factor is below 1 or above the broker count.',
  ),
  INVALID_REPLICA_ASSIGNMENT: final(39, 'The assignment of replicas to brokers is not legal.'),
  INVALID_CONFIG: final(40, 'A setting is unknown or its value is not legal.'),
  NOT_CONTROLLER: moved(41, 'This broker is not the controller.'),
  INVALID_REQUEST: final(42, 'The request contradicts itself or the protocol.'),
  UNSUPPORTED_FOR_MESSAGE_FORMAT: final(43, 'The record format of the topic does not allow this.'),
  POLICY_VIOLATION: final(44, 'A policy of this cluster forbids it.'),
  OUT_OF_ORDER_SEQUENCE_NUMBER: final(45, 'The producer sequence has a gap.'),
  DUPLICATE_SEQUENCE_NUMBER: final(46, 'The batch was written before, too long ago to say where.'),
  INVALID_PRODUCER_EPOCH: final(47, 'A newer epoch of this producer has been seen.'),
  INVALID_TXN_STATE: final(48, 'The state of the transaction does not allow this.'),
  INVALID_PRODUCER_ID_MAPPING: final(49, 'The transactional id belongs to another producer id.'),
  INVALID_TRANSACTION_TIMEOUT: final(
    50,
    'The transaction timeout is above what the broker allows.',
  ),
  CONCURRENT_TRANSACTIONS: passing(
    51,
    'The former transaction of this id is still being completed.',
  ),
  TRANSACTION_COORDINATOR_FENCED: final(52, 'A newer transaction coordinator has taken over.'),
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: final(53, 'Not allowed for this transactional id.'),
  SECURITY_DISABLED: final(54, 'The cluster has no authorizer.'),
  OPERATION_NOT_ATTEMPTED: final(55, 'Not tried, because something before it failed.'),
  KAFKA_STORAGE_ERROR: moved(56, 'The disk under the log failed.'),
  LOG_DIR_NOT_FOUND: final(57, 'The broker has no such log directory.'),
  SASL_AUTHENTICATION_FAILED: final(58, 'The credentials were not accepted.'),
  UNKNOWN_PRODUCER_ID: final(59, 'The log remembers nothing of this producer id.'),
  REASSIGNMENT_IN_PROGRESS: final(60, 'Replicas are being moved.'),
  DELEGATION_TOKEN_AUTH_DISABLED: final(61, 'The cluster has no delegation tokens.'),
  DELEGATION_TOKEN_NOT_FOUND: final(62, 'There is no such delegation token.'),
  DELEGATION_TOKEN_OWNER_MISMATCH: final(63, 'The token belongs to another principal.'),
  DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: final(64, 'Tokens are not given on this kind of channel.'),
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: final(65, 'Not allowed for this delegation token.'),
  DELEGATION_TOKEN_EXPIRED: final(66, 'The delegation token has expired.'),
  INVALID_PRINCIPAL_TYPE: final(67, 'There is no principal of this type.'),
  NON_EMPTY_GROUP: final(68, 'The group has members.'),
  GROUP_ID_NOT_FOUND: final(69, 'There is no such group.'),
  FETCH_SESSION_ID_NOT_FOUND: passing(70, 'The broker has no such fetch session.'),
  INVALID_FETCH_SESSION_EPOCH: passing(71, 'The fetch session is at another epoch.'),
  LISTENER_NOT_FOUND: moved(72, 'The leader has no listener of the name the request came to.'),
  TOPIC_DELETION_DISABLED: final(73, 'The cluster does not allow topics to be deleted.'),
  FENCED_LEADER_EPOCH: moved(74, 'The leader epoch of the request is older than the one here.'),
  UNKNOWN_LEADER_EPOCH: passing(75, 'The leader epoch of the request is newer than the one here.'),
  UNSUPPORTED_COMPRESSION_TYPE: final(76, 'This request version cannot carry this compression.'),
  STALE_BROKER_EPOCH: final(77, 'The broker has registered anew meanwhile.'),
  OFFSET_NOT_AVAILABLE: passing(78, 'The new leader does not know the high watermark yet.'),
  MEMBER_ID_REQUIRED: final(79, 'Join again with the member id of this response.'),
  PREFERRED_LEADER_NOT_AVAILABLE: moved(80, 'The preferred leader is not in sync.'),
  GROUP_MAX_SIZE_REACHED: final(81, 'The group has as many members as it may have.'),
  FENCED_INSTANCE_ID: final(82, 'Another member has taken this group instance id.'),
  ELIGIBLE_LEADERS_NOT_AVAILABLE: moved(83, 'No replica may become leader at the moment.'),
  ELECTION_NOT_NEEDED: moved(84, 'The partition has the wanted leader already.'),
  NO_REASSIGNMENT_IN_PROGRESS: final(85, 'No replicas of the partition are being moved.'),
  GROUP_SUBSCRIBED_TO_TOPIC: final(86, 'The group is reading the topic: its offsets stay.'),
  INVALID_RECORD: final(87, 'A record breaks a rule of its topic or of the record format.'),
  UNSTABLE_OFFSET_COMMIT: passing(88, 'A transaction has offsets pending for this partition.'),
  THROTTLING_QUOTA_EXCEEDED: passing(89, 'The quota is used up for now.'),
  PRODUCER_FENCED: final(90, 'A newer producer has taken the transactional id.'),
  RESOURCE_NOT_FOUND: final(91, 'The request names something that does not exist.'),
  DUPLICATE_RESOURCE: final(92, 'The request names the same thing twice.'),
  UNACCEPTABLE_CREDENTIAL: final(93, 'The credential is too weak or incomplete.'),
  INCONSISTENT_VOTER_SET: final(94, 'Sender and receiver do not agree about the voters.'),
  INVALID_UPDATE_VERSION: final(95, 'The update is based on an outdated version.'),
  FEATURE_UPDATE_FAILED: final(96, 'The features could not be changed.'),
  PRINCIPAL_DESERIALIZATION_FAILURE: final(97, 'The forwarded principal could not be read.'),
  SNAPSHOT_NOT_FOUND: final(98, 'There is no such snapshot.'),
  POSITION_OUT_OF_RANGE: final(99, 'The position lies outside of the snapshot.'),
  UNKNOWN_TOPIC_ID: moved(100, 'There is no topic of this id here.'),
  DUPLICATE_BROKER_REGISTRATION: final(101, 'A live broker has this id.'),
  BROKER_ID_NOT_REGISTERED: final(102, 'No broker of this id is registered.'),
  INCONSISTENT_TOPIC_ID: moved(103, 'The log belongs to a topic of another id.'),
  INCONSISTENT_CLUSTER_ID: final(104, 'The request was meant for another cluster.'),
  TRANSACTIONAL_ID_NOT_FOUND: final(105, 'There is no such transactional id.'),
  FETCH_SESSION_TOPIC_ID_ERROR: passing(106, 'The fetch session mixes topic names with topic ids.'),
  INELIGIBLE_REPLICA: final(107, 'A replica of the new ISR may not be in it.'),
  NEW_LEADER_ELECTED: final(108, 'The change succeeded and has made another broker leader.'),
  OFFSET_MOVED_TO_TIERED_STORAGE: final(109, 'The offset has moved to remote storage.'),
  FENCED_MEMBER_EPOCH: final(110, 'The member epoch is fenced: give up all partitions and rejoin.'),
  UNRELEASED_INSTANCE_ID: final(111, 'A member still holds this group instance id.'),
  UNSUPPORTED_ASSIGNOR: final(112, 'The group does not support this assignor.'),
  STALE_MEMBER_EPOCH: final(113, 'The member epoch is old: learn the new one by a heartbeat.'),
  MISMATCHED_ENDPOINT_TYPE: final(114, 'The request came to the wrong kind of endpoint.'),
  UNSUPPORTED_ENDPOINT_TYPE: final(115, 'There is no endpoint of this kind.'),
  UNKNOWN_CONTROLLER_ID: final(116, 'There is no controller of this id.'),
  UNKNOWN_SUBSCRIPTION_ID: final(117, 'The telemetry subscription is unknown or outdated.'),
  TELEMETRY_TOO_LARGE: final(118, 'The telemetry is larger than the broker accepts.'),
  INVALID_REGISTRATION: final(119, 'The controller does not accept the registration.'),
  TRANSACTION_ABORTABLE: final(120, 'The transaction failed: abort it, then go on.'),
  INVALID_RECORD_STATE: final(121, 'The record is not in a state to be acknowledged.'),
  SHARE_SESSION_NOT_FOUND: passing(122, 'The broker has no such share session.'),
  INVALID_SHARE_SESSION_EPOCH: passing(123, 'The share session is at another epoch.'),
  FENCED_STATE_EPOCH: final(124, 'The state epoch of the share group is another.'),
  INVALID_VOTER_KEY: final(125, 'The voter key belongs to another replica.'),
  DUPLICATE_VOTER: final(126, 'The voter is a voter already.'),
  VOTER_NOT_FOUND: final(127, 'There is no such voter.'),
  INVALID_REGULAR_EXPRESSION: final(128, 'The regular expression is not legal.'),
  REBOOTSTRAP_REQUIRED: final(129, 'The client must begin again from its bootstrap addresses.'),
  STREAMS_INVALID_TOPOLOGY: final(130, 'The streams topology is not legal.'),
  STREAMS_INVALID_TOPOLOGY_EPOCH: final(131, 'The epoch of the streams topology is not legal.'),
  STREAMS_TOPOLOGY_FENCED: final(132, 'The group has a newer streams topology.'),
  SHARE_SESSION_LIMIT_REACHED: passing(
    133,
    'The broker has as many share sessions as it may have.',
  ),
} as const

export type ErrorName = keyof typeof table

export const errors: { readonly [Name in ErrorName]: ErrorRow & { readonly name: Name } } =
  Object.freeze(
    Object.fromEntries(
      Object.entries(table).map(([name, row]) => [name, Object.freeze({ name, ...row })]),
    ),
  ) as never

const rowsByCode = new Map<number, ErrorRow>(Object.values(errors).map(row => [row.code, row]))
assert(rowsByCode.size === Object.keys(errors).length, 'every error has a code of its own')

export function errorCode(name: ErrorName): number {
  return errors[name].code
}

/** The name of `code`; a code newer than this table is an UNKNOWN_SERVER_ERROR. */
export function errorName(code: number): ErrorName {
  return rowsByCode.get(code)?.name ?? 'UNKNOWN_SERVER_ERROR'
}
