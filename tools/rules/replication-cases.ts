import { type Case, cluster, place, series, target } from './cases.ts'

/** Three brokers restart one after the other, with their catching up: each is away for four minutes, and all is well for one between. */
const roll = '0x5 1x3 0 1x3 0 1x3 0x100'

/** The same of a number that is not 1. */
function rolling(value: number): string {
  return roll.replaceAll('1x', `${value}x`)
}

/** A gauge of a cluster, or of one broker of it: for two hours `bad`, and as `quiet` has it. */
function told(
  alert: string,
  metric: string,
  values: {
    readonly bad: number
    readonly quiet: string
    readonly at: string
    readonly more?: Readonly<Record<string, string>>
    readonly shows: Readonly<Record<string, string>>
    readonly value?: string
  },
): Case {
  const { bad, quiet, at, more = {}, shows, value } = values
  const name = series(metric, { ...target, ...more })
  return {
    alert,
    fires: { [name]: `${bad}+0x120` },
    quiet: { [name]: quiet },
    at,
    labels: shows,
    ...(value === undefined ? {} : { value }),
  }
}

const instances = ['10.0.0.7:9404', '10.0.0.8:9404', '10.0.0.9:9404']
const controllers = instances.map(instance =>
  series('logcluster_active_controller', { ...target, instance }),
)
const elections = (kind: string): string =>
  series('logcluster_leader_elections_total', { ...target, kind })
const store = (outcome: string): string =>
  series('logcluster_metadata_store_operations_total', { ...target, operation: 'append', outcome })
const behind = series('logcluster_replication_behind_seconds', { ...target, leader: '2' })
const reassigning = series('logcluster_cluster_reassigning_partitions', {
  ...target,
  instance: '10.0.0.8:9404',
})
const cut = series('logcluster_committed_records_cut_total', target)
const started = (values: string): Record<string, string> => ({
  [series('process_start_time_seconds', target)]: values,
})
const startedLongAgo = started('-100000x60')
const applied = series('logcluster_metadata_applied_sequence', target)
const end = series('logcluster_metadata_log_end_sequence', {
  ...target,
  instance: '10.0.0.8:9404',
})

export const replicationCases: readonly Case[] = [
  {
    alert: 'LogClusterPossibleDataLoss',
    // The controller died after it, and the next one did not count it: it is told all the same.
    fires: { [elections('unclean')]: '0x10 1x4 _x40', [elections('clean')]: '0+1x60' },
    quiet: { [elections('unclean')]: '3+0x60', [elections('clean')]: '0+1x60', ...startedLongAgo },
    at: '18m',
    labels: { ...cluster, kind: 'unclean' },
  },
  {
    alert: 'LogClusterPossibleDataLoss',
    // All brokers lost power, and the first scrape finds what was elected.
    fires: { [elections('recovered')]: '_x10 12x60', ...started('_x10 600x60') },
    quiet: { [elections('recovered')]: '_x10 0x60', ...started('_x10 600x60') },
    at: '18m',
    labels: { ...cluster, kind: 'recovered' },
  },
  {
    alert: 'LogClusterCommittedRecordsCut',
    fires: { [cut]: '0x10 5x50' },
    quiet: { [cut]: '5+0x60', ...startedLongAgo },
    at: '30m',
    labels: place,
    value: '5',
  },
  {
    alert: 'LogClusterCommittedRecordsCut',
    fires: { [cut]: '_x10 5000x60', ...started('_x10 600x60') },
    // Of more than half an hour ago.
    quiet: { [cut]: '5000x60', ...started('0x60') },
    at: '35m',
    labels: place,
    value: '5k',
  },
  told('LogClusterPartitionsLeaderless', 'logcluster_cluster_leaderless_partitions', {
    bad: 3,
    quiet: rolling(3),
    at: '19m',
    shows: cluster,
    value: '3',
  }),
  told('LogClusterUnderMinIsr', 'logcluster_under_min_isr_partitions', {
    bad: 2,
    quiet: rolling(2),
    at: '19m',
    shows: cluster,
    value: '2',
  }),
  told('LogClusterUnderReplicated', 'logcluster_under_replicated_partitions', {
    bad: 40,
    // Nine brokers, one directly after the other.
    quiet: '0x5 40x18 0x100',
    at: '24m',
    shows: cluster,
    value: '40',
  }),
  {
    alert: 'LogClusterControllerCount',
    fires: Object.fromEntries(controllers.map(name => [name, '0+0x60'])),
    quiet: {
      // Another one takes over, and is scraped before the one that knows of nothing yet.
      [controllers[0]!]: '1x5 0x60',
      [controllers[1]!]: '0x4 1x60',
      [controllers[2]!]: '0x64',
    },
    at: '10m',
    labels: cluster,
    value: '0',
  },
  told('LogClusterControllerQuarantined', 'logcluster_cluster_quarantined', {
    bad: 1,
    quiet: '0+0x60',
    at: '10m',
    shows: cluster,
  }),
  {
    alert: 'LogClusterMetadataStoreFails',
    fires: { [store('ok')]: '7+0x60', [store('unknown')]: '0+30x60' },
    quiet: { [store('ok')]: '0+6x60', [store('unknown')]: '0+30x60' },
    at: '20m',
    labels: place,
    value: '500m',
  },
  {
    alert: 'LogClusterMetadataBehind',
    fires: { [applied]: '100+0x60', [end]: '100+5x60' },
    quiet: { [applied]: '100+5x60', [end]: '105+5x60' },
    at: '30m',
    labels: place,
    value: '100',
  },
  {
    alert: 'LogClusterMetadataBehind',
    fires: { [applied]: '0+300x30 9000x60', [end]: '0+300x90' },
    // Five records a second, and the controller is scraped half a minute later.
    quiet: { [applied]: '0+300x60', [end]: '150+300x60' },
    at: '50m',
    labels: place,
    value: '9000',
  },
  told('LogClusterBrokerFenced', 'logcluster_cluster_broker_fenced', {
    bad: 1,
    quiet: roll,
    at: '19m',
    more: { broker: '2' },
    shows: { ...cluster, broker: '2' },
  }),
  told('LogClusterDirectoryFailed', 'logcluster_cluster_broker_directory_failed', {
    bad: 1,
    quiet: '0+0x60',
    at: '10m',
    more: { broker: '2' },
    shows: { ...cluster, broker: '2' },
  }),
  told('LogClusterReplicationBehind', 'logcluster_replication_behind_seconds', {
    bad: 600,
    quiet: '0x5 600x12 0x100',
    at: '17m',
    more: { leader: '2' },
    shows: place,
    value: '10m 0s',
  }),
  {
    alert: 'LogClusterReplicationBehind',
    fires: { [behind]: '600x120', [reassigning]: '4x20 0x100' },
    // It gets the replicas of a reassignment, for more than an hour.
    quiet: { [behind]: '0x5 600x80 0x40', [reassigning]: '0x5 40x80 0x40' },
    at: '60m',
    labels: place,
    value: '10m 0s',
  },
  told('LogClusterReassignmentStuck', 'logcluster_cluster_reassigning_partitions', {
    bad: 4,
    quiet: '120-1x120',
    at: '115m',
    shows: cluster,
    value: '4',
  }),
]
