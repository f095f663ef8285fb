/** What one alert is tried with: series as promtool writes them, a sample a minute. */
export interface Case {
  readonly alert: string
  /** Series with which it fires. */
  readonly fires: Readonly<Record<string, string>>
  /** Series of a broker, group or operator with which nobody is to be disturbed. */
  readonly quiet: Readonly<Record<string, string>>
  /** When it is looked at, such as `30m`. */
  readonly at: string
  /** The labels of the alert beside its name and severity. */
  readonly labels: Readonly<Record<string, string>>
  /** The value as the description renders it, where it does. */
  readonly value?: string
}

export const place = { namespace: 'streaming', logcluster: 'orders', instance: '10.0.0.7:9404' }
export const target = { ...place, job: 'streaming/orders' }
export const cluster = { namespace: 'streaming', logcluster: 'orders' }
const operator = { namespace: 'logcluster-system', job: 'operator', instance: '10.0.0.9:8080' }

type Labels = Readonly<Record<string, string>>

/** A series as promtool names it. */
export function series(metric: string, labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`)
  return `${metric}{${pairs.join(', ')}}`
}

/** A gauge that is `bad` with the one and `good` with the other, for two hours. */
function gauge(
  alert: string,
  metric: string,
  values: { bad: number; good: number; at: string; labels?: Labels; of?: Labels; value?: string },
): Case {
  const { bad, good, at, labels = {}, of = target, value } = values
  const all = { ...of, ...labels }
  return {
    alert,
    fires: { [series(metric, all)]: `${bad}+0x120` },
    quiet: { [series(metric, all)]: `${good}+0x120` },
    at,
    labels: all,
    ...(value === undefined ? {} : { value }),
  }
}

/** A counter that grows by `bad` a minute with the one and by `good` with the other. */
function counter(
  alert: string,
  metric: string,
  values: {
    bad: number
    good: number
    at: string
    labels?: Labels
    of?: Labels
    shows?: Labels
    value?: string
  },
): Case {
  const { bad, good, at, labels = {}, of = target, shows, value } = values
  const all = { ...of, ...labels }
  return {
    alert,
    fires: { [series(metric, all)]: `0+${bad}x120` },
    quiet: { [series(metric, all)]: `0+${good}x120` },
    at,
    labels: shows ?? all,
    ...(value === undefined ? {} : { value }),
  }
}

const failedDisk = series('logcluster_storage_failed', target)
const gib = 2 ** 30
const free = series('logcluster_disk_free_bytes', target)
const total = series('logcluster_disk_total_bytes', target)
const lag = {
  ...target,
  group: 'billing',
  topic: 'payments',
  partition: '3',
  position: 'committed',
}
const group = { ...cluster, group: 'billing', topic: 'payments' }
const loop = (le: string): string =>
  series('logcluster_event_loop_lag_seconds_bucket', { ...target, le })
const sent = (metric: string): string =>
  series(`logcluster_page_cache_${metric}_bytes_total`, { ...target, group: 'a', topic: 'b' })
const unmeasured = Object.fromEntries(
  ['b', 'c'].map(instance => [
    series('logcluster_page_cache_sent_bytes_total', { ...target, instance, topic: 'b' }),
    '0+600000000x120',
  ]),
)
const cold = { ...target, group: 'archive' }

export const brokerCases: readonly Case[] = [
  gauge('LogClusterBrokerDown', 'up', { bad: 0, good: 1, at: '10m' }),
  {
    alert: 'LogClusterStorageFailed',
    // It ends, each start is refused, and not each is seen; quiet: until it starts on a sound disk.
    fires: { [failedDisk]: '0x5 stale _ 1 stale _x10 1 stale _x20' },
    quiet: { [failedDisk]: '0x5 stale _ 1 stale _x10 1 0x20' },
    at: '22m',
    labels: target,
  },
  gauge('LogClusterPartitionsOffline', 'logcluster_offline_partitions', {
    bad: 3,
    good: 0,
    at: '10m',
    value: '3',
  }),
  counter('LogClusterServerErrors', 'logcluster_request_errors_total', {
    bad: 6,
    good: 0,
    at: '15m',
    labels: { api: 'Produce', error: 'KAFKA_STORAGE_ERROR' },
    shows: { ...place, error: 'KAFKA_STORAGE_ERROR' },
    value: '100m',
  }),
  gauge('LogClusterMetadataWaiting', 'logcluster_metadata_waiting', { bad: 1, good: 0, at: '10m' }),
  gauge('LogClusterMetadataQuarantined', 'logcluster_metadata_quarantined', {
    bad: 1,
    good: 0,
    at: '10m',
  }),
  counter('LogClusterLoginsFail', 'logcluster_login_failures_total', {
    bad: 60,
    good: 1,
    at: '40m',
    labels: { listener: 'private' },
    value: '1',
  }),
  {
    alert: 'LogClusterEventLoopLag',
    fires: { [loop('0.25')]: '0+0x120', [loop('0.5')]: '0+60x120', [loop('+Inf')]: '0+60x120' },
    quiet: { [loop('0.25')]: '0+60x120', [loop('0.5')]: '0+60x120', [loop('+Inf')]: '0+60x120' },
    at: '30m',
    labels: place,
    value: '497.5ms',
  },
  counter('LogClusterRequestMemoryFull', 'logcluster_request_memory_waits_total', {
    bad: 120,
    good: 6,
    at: '30m',
    value: '2',
  }),
  counter('LogClusterConnectionsRefused', 'logcluster_connections_refused_total', {
    bad: 60,
    good: 0,
    at: '30m',
    labels: { reason: 'max.connections' },
    value: '1',
  }),
  {
    alert: 'LogClusterOpenFilesHigh',
    fires: {
      [series('process_open_fds', target)]: '900+0x120',
      [series('process_max_fds', target)]: '1000+0x120',
      [series('logcluster_build_info', { ...target, version: '0.1.0' })]: '1+0x120',
    },
    quiet: {
      [series('process_open_fds', target)]: '500+0x120',
      [series('process_max_fds', target)]: '1000+0x120',
      [series('logcluster_build_info', { ...target, version: '0.1.0' })]: '1+0x120',
      // Somebody else's process.
      [series('process_open_fds', { job: 'other', instance: 'a' })]: '900+0x120',
      [series('process_max_fds', { job: 'other', instance: 'a' })]: '1000+0x120',
    },
    at: '30m',
    labels: target,
    value: '90%',
  },
  gauge('LogClusterSeriesLeftOut', 'logcluster_metrics_left_out_series', {
    bad: 5,
    good: 0,
    at: '90m',
    labels: { metric: 'logcluster_consumer_lag_records' },
    value: '5',
  }),
  {
    alert: 'LogClusterConsumerBehind',
    fires: { [series('logcluster_consumer_lag_seconds', lag)]: '900+0x120' },
    quiet: { [series('logcluster_consumer_lag_seconds', lag)]: '300+0x120' },
    at: '30m',
    labels: group,
    value: '15m 0s',
  },
  {
    alert: 'LogClusterConsumerFallsBehind',
    fires: { [series('logcluster_consumer_lag_seconds', lag)]: '0+30x120' },
    quiet: { [series('logcluster_consumer_lag_seconds', lag)]: '3600-30x120' },
    at: '110m',
    labels: group,
    value: '500m',
  },
]

export const storageCases: readonly Case[] = [
  {
    alert: 'LogClusterDiskAlmostFull',
    fires: { [free]: `${gib}+0x120`, [total]: `${100 * gib}+0x120` },
    quiet: { [free]: `${10 * gib}+0x120`, [total]: `${100 * gib}+0x120` },
    at: '10m',
    labels: target,
    value: '1%',
  },
  {
    alert: 'LogClusterDiskFillsUp',
    fires: { [free]: `${30 * gib}-${gib / 16}x120`, [total]: `${100 * gib}+0x120` },
    quiet: { [free]: `${30 * gib}-${gib / 1024}x120`, [total]: `${100 * gib}+0x120` },
    at: '110m',
    labels: target,
  },
  gauge('LogClusterStrayLogs', 'logcluster_stray_logs', { bad: 2, good: 0, at: '90m', value: '2' }),
  counter('LogClusterWriteStalls', 'logcluster_write_stall_seconds_total', {
    bad: 3,
    good: 0.3,
    at: '30m',
    value: '5%',
  }),
  gauge('LogClusterProducersHeldBack', 'logcluster_dirty_pressure', {
    bad: 1,
    good: 0,
    at: '30m',
    value: '100%',
  }),
  gauge('LogClusterUnflushedTooLong', 'logcluster_flush_overdue_seconds', {
    bad: 120,
    good: 1,
    at: '10m',
    value: '2m 0s',
  }),
  {
    alert: 'LogClusterPageCacheTooSmall',
    fires: { [sent('sent')]: '0+600000000x120', [sent('hit')]: '0+120000000x120' },
    quiet: { [sent('sent')]: '0+600000000x120', [sent('hit')]: '0+540000000x120' },
    at: '60m',
    labels: cluster,
    value: '20%',
  },
  {
    alert: 'LogClusterPageCacheTooSmall',
    // Two brokers cannot measure: nothing is known of what they send.
    fires: { ...unmeasured, [sent('sent')]: '0+600000000x120', [sent('hit')]: '0+120000000x120' },
    quiet: { ...unmeasured, [sent('sent')]: '0+600000000x120', [sent('hit')]: '0+540000000x120' },
    at: '60m',
    labels: cluster,
    value: '20%',
  },
  counter('LogClusterHotDataEvicted', 'logcluster_scan_evicted_hot_bytes_total', {
    bad: 60 * 2 ** 21,
    good: 600_000,
    at: '30m',
    value: '2Mi',
  }),
  {
    alert: 'LogClusterColdReadsWait',
    fires: {
      [series('logcluster_cold_read_wait_seconds_total', cold)]: '0+120x120',
      [series('logcluster_cold_reads_total', cold)]: '0+60x120',
    },
    quiet: {
      [series('logcluster_cold_read_wait_seconds_total', cold)]: '0+6x120',
      [series('logcluster_cold_reads_total', cold)]: '0+60x120',
    },
    at: '30m',
    labels: { ...cluster, group: 'archive' },
    value: '2s',
  },
  gauge('LogClusterCleanerFails', 'logcluster_cleaner_uncleanable_partitions', {
    bad: 1,
    good: 0,
    at: '30m',
    value: '1',
  }),
]

const leads = series('logcluster_operator_leader_election_master_status', operator)

const condition = (type: string, status: string): string =>
  series('logcluster_operator_conditions', {
    ...operator,
    kind: 'LogCluster',
    condition: type,
    status,
  })
const system = { namespace: 'logcluster-system' }

export const operatorCases: readonly Case[] = [
  {
    alert: 'LogClusterNotReady',
    fires: {
      [condition('Ready', 'False')]: '1+0x120',
      [condition('Ready', 'Unknown')]: '1+0x120',
    },
    quiet: { [condition('Ready', 'True')]: '3+0x120', [condition('Ready', 'False')]: '0+0x120' },
    at: '30m',
    labels: { ...system, kind: 'LogCluster' },
    value: '2',
  },
  {
    alert: 'LogClusterDegraded',
    fires: { [condition('Degraded', 'True')]: '1+0x120' },
    quiet: { [condition('Degraded', 'False')]: '3+0x120' },
    at: '30m',
    labels: { ...system, kind: 'LogCluster' },
    value: '1',
  },
  {
    alert: 'LogClusterOperatorDown',
    fires: { [leads]: '0+0x120' },
    quiet: {
      [leads]: '0+0x120',
      [series('logcluster_operator_leader_election_master_status', { ...operator, instance: 'b' })]:
        '1+0x120',
    },
    at: '30m',
    labels: {},
  },
  gauge('LogClusterOperatorFails', 'logcluster_operator_workqueue_failing_keys', {
    bad: 2,
    good: 0,
    at: '30m',
    of: { namespace: 'logcluster-system', name: 'LogCluster' },
    value: '2',
  }),
  {
    alert: 'LogClusterOperatorStalled',
    fires: { [started(operator)]: '0+0x120' },
    // As long as each pass is over within a minute.
    quiet: { [started(operator)]: '0+60x120' },
    at: '30m',
    labels: { ...operator, controller: 'LogCluster' },
    value: '30m 0s',
  },
  gauge('LogClusterOperatorSaturated', 'logcluster_operator_workqueue_depth', {
    bad: 50,
    good: 3,
    at: '30m',
    of: operator,
    labels: { name: 'LogCluster' },
    value: '50',
  }),
  counter('LogClusterOperatorRunaway', 'logcluster_operator_api_requests_total', {
    bad: 600,
    good: 30,
    at: '60m',
    of: operator,
    labels: { verb: 'apply', code: '200' },
    shows: { namespace: 'logcluster-system' },
    value: '10',
  }),
  counter('LogClusterOperatorForbidden', 'logcluster_operator_api_requests_total', {
    bad: 1,
    good: 0,
    at: '30m',
    of: operator,
    labels: { verb: 'list', code: '403' },
    shows: { namespace: 'logcluster-system', verb: 'list' },
    value: '10',
  }),
  counter('LogClusterOperatorApiErrors', 'logcluster_operator_api_requests_total', {
    bad: 60,
    good: 1,
    at: '30m',
    of: operator,
    labels: { verb: 'list', code: 'unreachable' },
    shows: { namespace: 'logcluster-system', code: 'unreachable' },
    value: '1',
  }),
]

function started(labels: Labels): string {
  const all = { ...labels, controller: 'LogCluster' }
  return series('logcluster_operator_reconcile_start_timestamp_seconds', all)
}
