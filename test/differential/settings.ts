/** How both brokers are started for the comparison; all else is at each one's defaults. */
export const sameSettings: Readonly<Record<string, string>> = {
  'node.id': '1',
  // A first member waits for no others.
  'group.initial.rebalance.delay.ms': '0',
  'offsets.topic.num.partitions': '4',
  // Records of 2023 stay where they are while scenarios read them.
  'log.retention.check.interval.ms': '86400000',
}

/** How three of each are started. */
export const severalSettings: Readonly<Record<string, string>> = {
  'group.initial.rebalance.delay.ms': '0',
  'offsets.topic.num.partitions': '4',
  'default.replication.factor': '3',
  'num.partitions': '2',
}

/** Of Kafka's own too: its first look for old segments would come after half a minute; and fewer partitions are there sooner. */
export const kafkaSettings: Readonly<Record<string, string>> = {
  ...sameSettings,
  'log.initial.task.delay.ms': '86400000',
  'transaction.state.log.num.partitions': '4',
}
