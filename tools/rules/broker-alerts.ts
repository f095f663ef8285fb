import { brokerLabels, clusterLabels, type RuleGroup } from './rule.ts'

const where = '{{ $labels.logcluster }} {{ $labels.instance }}'

export const brokerAlerts: RuleGroup = {
  name: 'logcluster-broker',
  rules: [
    {
      alert: 'LogClusterBrokerDown',
      expr: 'up{logcluster!=""} == 0',
      for: '5m',
      severity: 'critical',
      summary: `Broker ${where} does not answer.`,
      description: 'Its metrics could not be read for five minutes. Most likely it does not run.',
    },
    {
      // A broker ends soon after its disk failed, and each start tells it only for a while.
      alert: 'LogClusterStorageFailed',
      expr: 'max_over_time(logcluster_storage_failed[15m]) == 1 unless logcluster_storage_failed == 0',
      for: '1m',
      severity: 'critical',
      summary: `The disk of broker ${where} failed.`,
      description:
        'A write or a flush failed, and the broker serves nothing from this data directory any more.',
    },
    {
      alert: 'LogClusterPartitionsOffline',
      expr: 'logcluster_offline_partitions > 0',
      for: '5m',
      severity: 'critical',
      summary: `Broker ${where} has partitions offline.`,
      description:
        'The logs of {{ $value }} partitions are missing, damaged or cannot be opened; nobody can write to or read from them.',
    },
    {
      alert: 'LogClusterServerErrors',
      expr: `sum by (${brokerLabels}, error) (rate(logcluster_request_errors_total{error=~"UNKNOWN_SERVER_ERROR|KAFKA_STORAGE_ERROR"}[5m])) > 0`,
      for: '5m',
      severity: 'critical',
      summary: `Broker ${where} answers with {{ $labels.error }}.`,
      description:
        '{{ $value | humanize }} answers a second tell an error that is not the fault of the client.',
    },
    {
      alert: 'LogClusterMetadataWaiting',
      expr: 'logcluster_metadata_waiting == 1',
      for: '5m',
      severity: 'warning',
      summary: `Broker ${where} cannot reach its metadata.`,
      description:
        'It serves what it has. Topics and settings cannot be changed until the metadata store answers.',
    },
    {
      alert: 'LogClusterMetadataQuarantined',
      expr: 'logcluster_metadata_quarantined == 1',
      for: '5m',
      severity: 'critical',
      summary: `Broker ${where} does not agree with the metadata store.`,
      description:
        'It serves what it has and changes no metadata, because the store is older than its own copy, or another one.',
    },
    {
      alert: 'LogClusterLoginsFail',
      expr: 'rate(logcluster_login_failures_total[10m]) > 0.05',
      for: '15m',
      severity: 'warning',
      summary: `Logins to listener {{ $labels.listener }} of broker ${where} fail.`,
      description: '{{ $value | humanize }} logins a second are refused.',
    },
    {
      alert: 'LogClusterEventLoopLag',
      expr: `histogram_quantile(0.99, sum by (${brokerLabels}, le) (rate(logcluster_event_loop_lag_seconds_bucket[5m]))) > 0.25`,
      for: '10m',
      severity: 'warning',
      summary: `The event loop of broker ${where} is late.`,
      description:
        'One in a hundred timers is late by {{ $value | humanizeDuration }}, and every request waits as long.',
    },
    {
      alert: 'LogClusterRequestMemoryFull',
      expr: 'rate(logcluster_request_memory_waits_total[5m]) > 1',
      for: '10m',
      severity: 'warning',
      summary: `Broker ${where} has no memory for more requests.`,
      description:
        'Connections wait {{ $value | humanize }} times a second, because requests fill their memory.',
    },
    {
      alert: 'LogClusterConnectionsRefused',
      expr: 'rate(logcluster_connections_refused_total[5m]) > 0',
      for: '10m',
      severity: 'warning',
      summary: `Broker ${where} refuses connections: {{ $labels.reason }}.`,
      description: '{{ $value | humanize }} connections a second are closed as they come.',
    },
    {
      alert: 'LogClusterOpenFilesHigh',
      expr: '(process_open_fds / process_max_fds) * on (job, instance) group_left () max by (job, instance) (logcluster_build_info) > 0.8',
      for: '15m',
      severity: 'warning',
      summary: `Broker ${where} runs out of file descriptors.`,
      description: '{{ $value | humanizePercentage }} of those allowed are open.',
    },
    {
      alert: 'LogClusterSeriesLeftOut',
      expr: 'logcluster_metrics_left_out_series > 0',
      for: '1h',
      severity: 'warning',
      summary: `Metrics of broker ${where} are not whole.`,
      description:
        '{{ $value }} series of {{ $labels.metric }} are left out, because there are more groups and partitions than metrics.group.series.max allows.',
    },
    {
      alert: 'LogClusterConsumerBehind',
      expr: 'logcluster_group_topic:logcluster_consumer_lag_seconds:max > 600',
      for: '15m',
      severity: 'warning',
      summary:
        'Group {{ $labels.group }} of {{ $labels.logcluster }} is behind on {{ $labels.topic }}.',
      description:
        'The oldest record that it has not committed is {{ $value | humanizeDuration }} old.',
    },
    {
      alert: 'LogClusterConsumerFallsBehind',
      expr: 'deriv(logcluster_group_topic:logcluster_consumer_lag_seconds:max[30m]) > 0.2 and logcluster_group_topic:logcluster_consumer_lag_seconds:max > 120',
      for: '30m',
      severity: 'warning',
      summary:
        'Group {{ $labels.group }} of {{ $labels.logcluster }} is slower than the producers of {{ $labels.topic }}.',
      description: 'It falls behind by {{ $value | humanize }} seconds a second.',
    },
  ],
}

/** Of disk and page cache. */
export const storageAlerts: RuleGroup = {
  name: 'logcluster-storage',
  rules: [
    {
      alert: 'LogClusterDiskAlmostFull',
      expr: 'logcluster_disk_free_bytes / logcluster_disk_total_bytes < 0.05',
      for: '5m',
      severity: 'critical',
      summary: `The disk of broker ${where} is almost full.`,
      description:
        '{{ $value | humanizePercentage }} of it are free. A full disk takes no more records.',
    },
    {
      alert: 'LogClusterDiskFillsUp',
      expr: 'predict_linear(logcluster_disk_free_bytes[6h], 86400) < 0 and logcluster_disk_free_bytes / logcluster_disk_total_bytes < 0.4',
      for: '1h',
      severity: 'warning',
      summary: `The disk of broker ${where} will be full within a day.`,
      description: 'At the pace of the last six hours nothing is left of it in 24 hours.',
    },
    {
      alert: 'LogClusterStrayLogs',
      expr: 'logcluster_stray_logs > 0',
      for: '1h',
      severity: 'warning',
      summary: `Broker ${where} keeps logs that were set aside.`,
      description:
        '{{ $value }} logs are of replicas that were moved to other brokers, or of topics that the metadata does not know. They take space until somebody removes them.',
    },
    {
      alert: 'LogClusterWriteStalls',
      expr: 'rate(logcluster_write_stall_seconds_total[5m]) > 0.02',
      for: '10m',
      severity: 'warning',
      summary: `The kernel makes broker ${where} wait when it writes.`,
      description:
        '{{ $value | humanizePercentage }} of the time an append stands still, and all requests with it.',
    },
    {
      alert: 'LogClusterProducersHeldBack',
      expr: 'avg_over_time(logcluster_dirty_pressure[10m]) > 0.1',
      for: '10m',
      severity: 'warning',
      summary: `Broker ${where} holds producers back.`,
      description:
        'During {{ $value | humanizePercentage }} of the time they are not read, because the device does not take what they write fast enough.',
    },
    {
      alert: 'LogClusterUnflushedTooLong',
      expr: 'logcluster_flush_overdue_seconds > 60',
      for: '5m',
      severity: 'warning',
      summary: `Broker ${where} does not get its data flushed.`,
      description:
        'A flush is {{ $value | humanizeDuration }} late. A loss of power now would lose what it is of.',
    },
    {
      alert: 'LogClusterPageCacheTooSmall',
      expr: 'logcluster:logcluster_page_cache_hit:ratio_rate5m < 0.5 and logcluster:logcluster_page_cache_sent_bytes:rate5m > 1e6',
      for: '30m',
      severity: 'warning',
      summary: 'Consumers of {{ $labels.logcluster }} are served from the device.',
      description: 'Only {{ $value | humanizePercentage }} of what is sent comes from memory.',
    },
    {
      alert: 'LogClusterHotDataEvicted',
      expr: 'rate(logcluster_scan_evicted_hot_bytes_total[5m]) > 1e6',
      for: '15m',
      severity: 'warning',
      summary: `A reader of old data costs the others of broker ${where}.`,
      description:
        '{{ $value | humanize1024 }}B a second that were in memory a minute ago had to be read again.',
    },
    {
      alert: 'LogClusterColdReadsWait',
      expr: `sum by (${clusterLabels}, group) (rate(logcluster_cold_read_wait_seconds_total[5m])) / (sum by (${clusterLabels}, group) (rate(logcluster_cold_reads_total[5m])) > 0) > 1`,
      for: '15m',
      severity: 'warning',
      summary:
        'Cold reads of group {{ $labels.group }} of {{ $labels.logcluster }} wait for the disk.',
      description: 'On average {{ $value | humanizeDuration }} pass before it is their turn.',
    },
    {
      alert: 'LogClusterCleanerFails',
      expr: 'logcluster_cleaner_uncleanable_partitions > 0',
      for: '15m',
      severity: 'warning',
      summary: `Broker ${where} cannot compact some logs.`,
      description:
        '{{ $value }} logs were set aside by compaction. They grow until that is mended.',
    },
  ],
}
