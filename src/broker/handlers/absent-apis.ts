/** An API that Kafka has and this broker does not serve. */
export interface AbsentApi {
  readonly key: number
  readonly name: string
  /** Why it is not there; the end of a sentence that begins with "because". */
  readonly because: string
  /** What to set so that a client does without it; '' where no client of applications asks for it. */
  readonly remedy: string
}

const transactions = {
  because: 'there are no transactions yet',
  remedy: 'leave transactional.id of the producer empty',
}
const consumerGroups = {
  because: 'the KIP-848 protocol is not there yet',
  remedy: 'set group.protocol=classic in the consumer',
}
const shareGroups = {
  because: 'share groups (KIP-932) are not there yet',
  remedy: 'use a consumer group',
}
const streamsGroups = {
  because: 'the streams protocol (KIP-1071) is not there yet',
  remedy: 'set group.protocol=classic in the Streams application',
}
const telemetry = {
  because: "there is no receiver of clients' metrics",
  remedy: 'set enable.metrics.push=false in the client',
}
const raft = { because: 'the metadata store is the consensus, there is no Raft', remedy: '' }
const betweenBrokers = { because: 'only brokers and controllers of Kafka ask for it', remedy: '' }
const formerKafka = { because: 'Kafka itself has it no more', remedy: '' }

type Row = readonly [key: number, name: string, reason: Pick<AbsentApi, 'because' | 'remedy'>]

const rows: readonly Row[] = [
  [4, 'LeaderAndIsr', formerKafka],
  [5, 'StopReplica', formerKafka],
  [6, 'UpdateMetadata', formerKafka],
  [7, 'ControlledShutdown', formerKafka],
  [24, 'AddPartitionsToTxn', transactions],
  [25, 'AddOffsetsToTxn', transactions],
  [26, 'EndTxn', transactions],
  [27, 'WriteTxnMarkers', transactions],
  [28, 'TxnOffsetCommit', transactions],
  [52, 'Vote', raft],
  [53, 'BeginQuorumEpoch', raft],
  [54, 'EndQuorumEpoch', raft],
  [56, 'AlterPartition', betweenBrokers],
  [58, 'Envelope', betweenBrokers],
  [59, 'FetchSnapshot', raft],
  [62, 'BrokerRegistration', betweenBrokers],
  [63, 'BrokerHeartbeat', betweenBrokers],
  [67, 'AllocateProducerIds', betweenBrokers],
  [68, 'ConsumerGroupHeartbeat', consumerGroups],
  [69, 'ConsumerGroupDescribe', consumerGroups],
  [70, 'ControllerRegistration', betweenBrokers],
  [71, 'GetTelemetrySubscriptions', telemetry],
  [72, 'PushTelemetry', telemetry],
  [73, 'AssignReplicasToDirs', betweenBrokers],
  [76, 'ShareGroupHeartbeat', shareGroups],
  [77, 'ShareGroupDescribe', shareGroups],
  [78, 'ShareFetch', shareGroups],
  [79, 'ShareAcknowledge', shareGroups],
  [80, 'AddRaftVoter', raft],
  [81, 'RemoveRaftVoter', raft],
  [82, 'UpdateRaftVoter', raft],
  [83, 'InitializeShareGroupState', shareGroups],
  [84, 'ReadShareGroupState', shareGroups],
  [85, 'WriteShareGroupState', shareGroups],
  [86, 'DeleteShareGroupState', shareGroups],
  [87, 'ReadShareGroupStateSummary', shareGroups],
  [88, 'StreamsGroupHeartbeat', streamsGroups],
  [89, 'StreamsGroupDescribe', streamsGroups],
  [90, 'DescribeShareGroupOffsets', shareGroups],
  [91, 'AlterShareGroupOffsets', shareGroups],
  [92, 'DeleteShareGroupOffsets', shareGroups],
]

/** By key. A client that asks for one all the same is told in the log what to change. */
export const absentApis: ReadonlyMap<number, AbsentApi> = new Map(
  rows.map(([key, name, reason]) => [key, { key, name, ...reason }]),
)
