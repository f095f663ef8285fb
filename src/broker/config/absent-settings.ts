/** Settings of Apache Kafka's brokers that are none here. */
export interface AbsentSettings {
  /** Names; one that ends in `*` stands for all that begin so. */
  readonly names: readonly string[]
  readonly why: string
}

/** docs/settings.md lists them, and who gives one is told why it is not known. */
export const absentSettings: readonly AbsentSettings[] = [
  {
    names: ['ssl.*', 'security.providers', 'principal.builder.class'],
    why: 'there is no TLS yet',
  },
  {
    names: [
      'sasl.*',
      'delegation.token.*',
      'connections.max.reauth.ms',
      'connection.failed.authentication.delay.ms',
      'security.inter.broker.protocol',
    ],
    why: 'no client logs in yet, and brokers do so to each other by SCRAM-SHA-256 (private.listener)',
  },
  {
    names: ['authorizer.class.name', 'early.start.listeners'],
    why: 'there are no ACLs yet',
  },
  {
    names: ['client.quota.callback.class', 'quota.window.*', 'controller.quota.*'],
    why: 'clients have no quotas yet',
  },
  {
    names: ['transaction.*', 'transactional.id.expiration.ms', 'add.partitions.to.txn.*'],
    why: 'there are no transactions yet',
  },
  {
    names: [
      'group.consumer.*',
      'group.share.*',
      'group.streams.*',
      'share.*',
      'group.coordinator.rebalance.protocols',
    ],
    why: 'groups speak the classic protocol only',
  },
  {
    names: ['remote.*', 'follower.fetch.last.tiered.offset.enable'],
    why: 'there is no tiered storage',
  },
  {
    names: ['replica.selector.class'],
    why: 'consumers read from leaders only',
  },
  {
    names: ['auto.leader.rebalance.enable', 'leader.imbalance.*'],
    why: 'leadership goes back to the preferred replica soon after that is in sync again, always',
  },
  {
    names: ['controlled.shutdown.*'],
    why: 'a broker that is asked to stop always gives away what it leads first',
  },
  {
    names: ['broker.heartbeat.interval.ms', 'broker.session.timeout.ms'],
    why: 'how often brokers are heard of, and after which silence one is fenced (6 s), is the same everywhere',
  },
  {
    names: ['inter.broker.listener.name'],
    why: 'brokers reach each other by a listener that is none of listeners (private.listener)',
  },
  {
    names: ['request.timeout.ms', 'socket.connection.setup.timeout.*'],
    why: 'each thing that brokers ask of each other has a time of its own, fetches replica.socket.timeout.ms',
  },
  {
    names: [
      'process.roles',
      'controller.listener.names',
      'controller.quorum.*',
      'controller.socket.timeout.ms',
      'initial.broker.registration.timeout.ms',
      'metadata.log.max.*',
      'metadata.log.segment.*',
      'metadata.max.*',
    ],
    why: 'the metadata log is not a Raft quorum, and decides itself when it is cut',
  },
  {
    names: [
      'group.coordinator.append.linger.ms',
      'group.coordinator.background.threads',
      'group.coordinator.cached.buffer.max.bytes',
      'group.coordinator.threads',
      'offsets.load.buffer.size',
      'offsets.topic.compression.codec',
    ],
    why: 'how groups are kept has no such parts',
  },
  {
    names: [
      'delete.records.purgatory.*',
      'fetch.purgatory.*',
      'producer.purgatory.*',
      'max.request.partition.size.limit',
      'queued.max.requests',
    ],
    why: 'how requests wait and are bounded is another here: by bytes, not by their number',
  },
  {
    names: [
      'socket.listen.backlog.size',
      'socket.receive.buffer.bytes',
      'socket.send.buffer.bytes',
      'replica.socket.receive.buffer.bytes',
    ],
    why: 'sockets have the buffers that the system gives them, and a fixed backlog',
  },
  {
    names: ['max.connection.creation.rate', 'max.connections.per.ip.overrides'],
    why: 'connections have no such limits yet',
  },
  {
    names: [
      'log.flush.scheduler.interval.ms',
      'log.flush.offset.checkpoint.interval.ms',
      'log.flush.start.offset.checkpoint.interval.ms',
      'replica.high.watermark.checkpoint.interval.ms',
    ],
    why: 'flushing is planned by the age of bytes, and checkpoints follow the flushes',
  },
  {
    names: [
      'log.dir.failure.timeout.ms',
      'num.replica.alter.log.dirs.threads',
      'alter.log.dirs.replication.quota.*',
    ],
    why: 'a broker has one data directory',
  },
  {
    names: ['metric.reporters', 'metrics.*', 'kafka.metrics.*', 'telemetry.max.bytes'],
    why: 'metrics are told to Prometheus, by HTTP',
  },
  {
    names: ['alter.config.policy.class.name', 'create.topic.policy.class.name', 'config.providers'],
    why: 'no classes of Java are loaded',
  },
]

/** Why a setting of Kafka's is none here; null where it is not one of those. */
export function whyAbsent(name: string): string | null {
  return absentSettings.find(({ names }) => names.some(each => stands(each, name)))?.why ?? null
}

function stands(each: string, name: string): boolean {
  return each.endsWith('*') ? name.startsWith(each.slice(0, -1)) : name === each
}
