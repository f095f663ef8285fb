import { everything, operatorLayers, real, broker, type Layer } from './operator-layers.ts'

const log = (...places: string[]): string[] => places.map(place => `src/broker/log/${place}`)

/**
 * At the door of `log/`, because they are words of all its rooms: which log, its settings, what it asks of the directory
 * above it (which implements that) and which failures of a disk pass.
 */
const door = ['log-host.ts', 'log-config.ts', 'log-id.ts', 'shortage.ts']

/**
 * The table is the architecture (docs/architecture.md). The longest place that holds a file is its layer; a
 * right to import may name a folder or a single file.
 */
export const layers: Readonly<Record<string, Layer>> = {
  'src/lib': { ours: [] },
  'src/env': { ours: ['src/lib'] },
  'src/env/duplex': { ours: ['src/lib', 'src/env'], modules: ['node:stream'] },
  'src/env/real': {
    ours: ['src/lib', 'src/env', 'src/env/duplex'],
    modules: ['node:fs', 'node:fs/promises', 'node:net', 'node:stream', 'node:crypto', 'node:path'],
  },
  'src/env/real/http-exchange.ts': { ours: ['src/env'], modules: ['node:http'] },
  'src/env/real/idle-memory.ts': {
    ours: ['src/env', 'src/env/real/resident-memory.ts', 'src/env/real/collector.ts'],
  },
  'src/env/real/collector.ts': { ours: [], modules: ['node:v8', 'node:vm'] },
  'src/kubernetes': { ours: ['src/lib', 'src/env'] },
  // The one real twin outside of src/env/real: a port that only one store and the operator's tests of it know.
  'src/kubernetes/https-objects.ts': {
    ours: ['src/lib', 'src/env', ...real('http-exchange.ts'), 'src/kubernetes'],
    modules: ['node:https', 'node:fs/promises'],
  },
  'src/broker/wire': { ours: ['src/lib'] },
  'src/broker/wire/client': { ours: ['src/lib', 'src/env', ...broker('wire', 'wire/sasl')] },
  // Pure sums, as of node:zlib in compression.
  'src/broker/wire/sasl': { ours: ['src/lib'], modules: ['node:crypto'] },
  'src/operator/brokers': {
    ours: ['src/lib', 'src/env', ...broker('wire', 'wire/client', 'wire/sasl')],
  },
  'src/broker/native': {
    ours: [
      'src/lib',
      'src/env',
      ...real('file-system.ts', 'disk-errors.ts', 'write-parts.ts', 'clock.ts'),
    ],
    modules: [
      'node:child_process',
      'node:dns/promises',
      'node:fs',
      'node:module',
      'node:os',
      'node:path',
    ],
  },
  'src/broker/config': {
    ours: [
      'src/lib',
      'src/env/admission.ts',
      'src/env/network.ts',
      ...broker('metadata/decided-configs.ts'),
    ],
  },
  // The rooms of log, downwards; what no room claims stands at the door, each file in its place.
  'src/broker/log/directory': {
    ours: [
      'src/lib',
      'src/env',
      ...log('log.ts', 'cleaner', 'recovery', 'segment', 'compression', 'state', ...door),
    ],
  },
  'src/broker/log/log.ts': {
    ours: [
      'src/lib',
      'src/env',
      ...log(
        'cleaner',
        'retention.ts',
        'truncation',
        'recovery',
        'append',
        'read',
        'producers',
        'state',
        ...door,
      ),
    ],
  },
  'src/broker/log/cleaner': {
    ours: [
      'src/lib',
      'src/env',
      ...log('retention.ts', 'leaving.ts', 'append', 'read', 'segment', 'batch', 'compression'),
      ...log('state', ...door),
    ],
    modules: ['node:path', 'node:worker_threads'],
  },
  'src/broker/log/truncation': {
    ours: [
      'src/lib',
      'src/env',
      ...log('retention.ts', 'leaving.ts', 'append', 'read', 'segment', 'producers', 'batch'),
      ...log('state', ...door),
    ],
  },
  'src/broker/log/retention.ts': {
    ours: ['src/env', ...log('leaving.ts', 'append', 'segment', 'state', ...door)],
  },
  'src/broker/log/leaving.ts': { ours: ['src/env', ...log('segment', 'state', ...door)] },
  'src/broker/log/recovery': {
    ours: [
      'src/lib',
      'src/env',
      ...log('append', 'read', 'segment', 'producers', 'batch', 'state', ...door),
    ],
  },
  'src/broker/log/append': {
    ours: [
      'src/lib',
      'src/env',
      'src/broker/wire/errors.ts',
      ...log('segment', 'producers', 'batch', 'compression', 'state', ...door),
    ],
  },
  'src/broker/log/read': {
    ours: [
      'src/lib',
      'src/env',
      'src/broker/wire/errors.ts',
      ...log('segment', 'batch', 'compression', 'state', ...door),
    ],
  },
  'src/broker/log/state': {
    ours: [
      'src/lib',
      'src/env',
      'src/broker/wire/errors.ts',
      ...log('segment', 'producers', ...door),
    ],
  },
  'src/broker/log/log-host.ts': {
    ours: ['src/env', ...log('segment', 'compression')],
  },
  'src/broker/log/segment': { ours: ['src/lib', 'src/env', ...log('producers', 'batch')] },
  'src/broker/log/producers': { ours: ['src/lib', ...log('batch')] },
  'src/broker/log/batch': {
    ours: ['src/lib', 'src/broker/wire/errors.ts', ...log('compression', 'log-config.ts')],
  },
  'src/broker/log/compression': {
    ours: ['src/lib', 'src/env', 'src/env/real/clock.ts', 'src/env/real/collector.ts'],
    modules: ['node:zlib', 'node:path', 'node:worker_threads', 'lz4-napi', 'snappy'],
  },
  'src/broker/log': { ours: ['src/lib', 'src/env'] },
  'src/broker/partition/replica': { ours: ['src/lib'] },
  'src/broker/cluster/controller': {
    ours: [
      'src/lib',
      ...broker('metadata/records.ts', 'metadata/image.ts'),
      ...broker('metadata/replicas.ts', 'metadata/decided-configs.ts', 'metadata/directory-id.ts'),
    ],
  },
  'src/broker/metadata': { ours: ['src/lib', 'src/env'], modules: ['node:crypto'] },
  'src/broker/metadata/kubernetes': {
    ours: ['src/lib', 'src/env', 'src/kubernetes', ...broker('metadata')],
    // To compress is a pure sum; the operator's genesis has no other way to make what a broker reads.
    modules: ['node:zlib', 'node:util'],
  },
  'src/etcd': { ours: ['src/lib', 'src/env'] },
  // As https-objects.ts: the real twin of a port that only one store knows.
  'src/etcd/http-key-values.ts': {
    ours: ['src/lib', 'src/env', ...real('http-exchange.ts'), 'src/etcd'],
    modules: ['node:http'],
  },
  'src/broker/metadata/etcd': {
    ours: ['src/lib', 'src/env', 'src/etcd', ...broker('metadata', 'metadata/files/log-file.ts')],
  },
  'src/broker/cluster': {
    ours: [
      'src/lib',
      'src/env',
      ...broker(
        'metadata',
        'cluster/controller',
        'wire',
        'wire/client',
        'wire/private',
        'wire/sasl',
      ),
    ],
  },
  'src/broker/partition': {
    ours: [
      'src/lib',
      'src/env',
      ...log('directory', 'log.ts', ...door),
      ...broker('partition/replica', 'metadata', 'wire'),
    ],
  },
  'src/broker/throttle': { ours: ['src/lib'] },
  'src/broker/fetcher': {
    ours: ['src/lib', 'src/env', ...broker('throttle', 'wire', 'wire/client')],
  },
  'src/broker/coordinator/groups': { ours: ['src/lib'] },
  'src/broker/coordinator': {
    ours: [
      'src/lib',
      'src/env',
      // It makes and reads batches of its own.
      ...log('batch', 'compression'),
      ...broker('coordinator/groups', 'metadata', 'cluster', 'partition', 'wire'),
    ],
  },
  'src/broker/insight': {
    ours: ['src/lib', 'src/env', ...broker('coordinator', 'partition')],
  },
  'src/broker/cold-lane': {
    ours: ['src/lib', 'src/env', ...broker('insight')],
  },
  'src/broker/telemetry': {
    ours: ['src/lib', 'src/env', ...broker('config', 'insight/numbers.ts', 'cold-lane/numbers.ts')],
    modules: ['node:http', 'express', 'pino', 'prom-client'],
  },
  'src/broker/handlers': {
    ours: [
      'src/lib',
      'src/env',
      ...broker('wire', 'config', 'metadata', 'cluster', 'partition'),
      ...broker('cluster/controller', 'coordinator/groups', 'coordinator', 'insight', 'cold-lane'),
      ...broker('handlers/fetch/sessions', 'security', 'wire/sasl', 'throttle'),
    ],
  },
  'src/broker/handlers/fetch/sessions': { ours: ['src/lib'] },
  'src/broker/security': { ours: ['src/lib', 'src/env', ...broker('wire', 'wire/sasl')] },
  'src/broker/server': {
    ours: ['src/lib', 'src/env', ...broker('wire', 'config', 'telemetry', 'security', 'handlers')],
  },
  'src/broker/open-env.ts': { ours: everything },
  'src/broker/cluster-options.ts': { ours: broker('cluster', 'config', 'coordinator') },
  'src/broker/open-store.ts': { ours: everything },
  'src/broker/own-disk.ts': { ours: everything },
  'src/broker/rack-file.ts': { ours: ['src/env', 'src/lib'] },
  'src/broker/make-partitions.ts': { ours: everything },
  'src/broker/make-handlers.ts': { ours: everything, modules: ['node:path'] },
  'src/broker/make-replication.ts': { ours: everything },
  'src/broker/replication-numbers.ts': { ours: everything },
  'src/broker/tell-stand-alone.ts': { ours: everything },
  'src/broker/identity': { ours: ['src/env', 'src/kubernetes', ...log('directory')] },
  'src/broker/process-numbers.ts': { ours: everything, modules: ['node:fs'] },
  'src/broker/welcome.ts': { ours: everything },
  'src/broker/broker-metrics.ts': { ours: everything },
  'src/broker/make-coordinator.ts': { ours: everything },
  'src/broker/ask-backlogs.ts': {
    ours: ['src/env', ...broker('cluster', 'insight', 'wire', 'wire/client')],
  },
  'src/broker/watch-groups.ts': { ours: everything },
  'src/broker/cluster-numbers.ts': { ours: [...broker('cluster', 'metadata', 'telemetry')] },
  'src/broker/in-sync-readiness.ts': { ours: broker('metadata') },
  'src/broker/in-sync-numbers.ts': { ours: [...broker('partition', 'telemetry')] },
  'src/broker/retention-round.ts': { ours: everything },
  'src/broker/private-listener.ts': { ours: everything },
  'src/broker/broker-status.ts': { ours: everything },
  'src/broker/broker-options.ts': { ours: everything },
  'src/broker/make-cluster.ts': { ours: everything },
  'src/broker/broker.ts': { ours: everything },
  'src/broker/refusal.ts': { ours: everything },
  'src/broker/termination-log.ts': { ours: everything, modules: ['node:fs'] },
  'src/broker/process-facts.ts': { ours: everything, modules: ['node:fs'] },
  'src/broker/check.ts': { ours: everything },
  'src/broker/run.ts': { ours: everything, modules: ['node:'] },
  // Several brokers of one machine: a process of its own, which knows brokers by their processes alone.
  'src/broker/many': { ours: ['src/lib', 'src/env', ...broker('config/settings.ts')] },
  'src/broker/many/spawned-broker.ts': {
    ours: broker('many', 'metadata/shape.ts'),
    modules: ['node:child_process', 'node:path'],
  },
  'src/broker/many/credentials.ts': {
    ours: ['src/lib', 'src/env'],
    modules: ['node:fs', 'node:path'],
  },
  'src/broker/many/run-many.ts': { ours: everything, modules: ['node:net'] },
  'src/broker/main.ts': { ours: ['src/broker/run.ts'] },
  'src/cli': { ours: ['src/lib', 'src/broker/config/nearest.ts'] },
  'src/cli/addresses.ts': { ours: broker('config/listeners.ts') },
  'src/cli/coming-replicas.ts': { ours: broker('wire', 'wire/client') },
  // What it does not run it does not load, so nothing but the door of each command.
  'src/cli/main.ts': {
    ours: [
      'src/lib',
      'src/cli',
      'src/cli/try',
      'src/cli/status',
      'src/cli/recover',
      'src/cli/document/commands.ts',
      'src/env/real/package-version.ts',
      ...broker('run.ts', 'check.ts'),
      'src/operator/run.ts',
    ],
  },
  // The plugin of kubectl: a process of its own, which speaks to Kubernetes by kubectl alone.
  'src/cli/kubectl': {
    ours: [
      'src/broker/config/nearest.ts',
      'src/operator/crd',
      'src/operator/desired/claim.ts',
      'src/operator/desired/labels.ts',
    ],
  },
  'src/cli/kubectl/spawned-kubectl.ts': {
    ours: ['src/cli/kubectl'],
    modules: ['node:child_process'],
  },
  'src/cli/kubectl/main.ts': {
    ours: [
      'src/lib',
      'src/cli/kubectl',
      'src/cli/kubectl/spawned-kubectl.ts',
      ...real('package-version.ts', 'clock.ts'),
    ],
    modules: ['node:fs', 'node:fs/promises', 'node:path', 'node:stream/consumers'],
  },
  'src/cli/status': {
    ours: [
      'src/lib',
      'src/env',
      ...real('network.ts', 'clock.ts', 'random.ts'),
      ...broker('wire', 'wire/client', 'metadata/harm.ts'),
      'src/cli/coming-replicas.ts',
      'src/cli/addresses.ts',
      'src/cli/terminal.ts',
    ],
  },
  'src/cli/document': {
    ours: [
      'src/lib',
      'src/env',
      ...broker('wire', 'wire/client', 'coordinator/offsets-topic.ts'),
      'src/cli/addresses.ts',
      'src/cli/coming-replicas.ts',
    ],
    modules: ['zod'],
  },
  'src/cli/document/commands.ts': {
    ours: [
      'src/lib',
      'src/env',
      'src/cli/document',
      ...real('network.ts', 'clock.ts', 'random.ts'),
      ...broker('wire', 'wire/client'),
      'src/cli/addresses.ts',
      'src/cli/terminal.ts',
    ],
    modules: ['node:fs/promises', 'node:process', 'node:stream/consumers'],
  },
  'src/cli/recover': {
    ours: [
      'src/lib',
      ...real('network.ts', 'clock.ts', 'random.ts', 'disk.ts'),
      ...broker('config/listeners.ts', 'wire', 'wire/client'),
      ...broker('cluster/peers.ts', 'cluster/controller/commands.ts'),
      ...broker('security/credential-files.ts'),
      'src/cli/addresses.ts',
      'src/cli/terminal.ts',
    ],
    modules: ['node:fs'],
  },
  'src/cli/try': {
    ours: [
      'src/lib',
      'src/env',
      ...real('network.ts', 'clock.ts', 'random.ts'),
      ...broker('wire', 'wire/client'),
      ...log('batch/batch.ts', 'batch/records.ts'),
      'src/cli/addresses.ts',
      'src/cli/terminal.ts',
    ],
  },
  ...operatorLayers,
}

/** These may be imported by nobody but tests and the sim: a process begins there, or the product ends. */
export const fronts = [
  'src/broker/main.ts',
  'src/operator/main.ts',
  'sim',
  'test',
  'bench',
  'tools',
]
