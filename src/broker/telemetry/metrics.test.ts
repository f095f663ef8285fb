import { expect, test } from 'vitest'
import { checkMetrics, describeWith } from '../../../test/helpers/clients.ts'
import { metricSources as sources } from '../../../test/helpers/metric-sources.ts'
import { watchLoopLag } from './loop-lag.ts'
import { Metrics } from './metrics.ts'

function used(): Metrics {
  const metrics = new Metrics()
  metrics.attach(sources)
  const fetch = metrics.api('Fetch')
  fetch.requests.value += 2
  fetch.observe(0.003)
  fetch.error('OFFSET_OUT_OF_RANGE')
  metrics.connectionsAccepted.value++
  metrics.connectionRefused('max.connections')
  metrics.connectionClosed('peer')
  metrics.connectionFault('malformed')
  metrics.loginFailures('private')
  metrics.loopLag(0.02)
  metrics.cluster.begin(['append'], ['ok', 'unknown'])
  metrics.cluster.observe('append', 'ok', 0.02)
  metrics.cluster.heartbeat('ok', 0.002)
  metrics.cluster.heartbeat('unanswered', 2)
  return metrics
}

/** The samples of a scrape, without the help. */
async function samples(metrics: Metrics): Promise<string[]> {
  return (await metrics.text()).split('\n').filter(line => line !== '' && !line.startsWith('#'))
}

test('every name is told with its labels and unit', async () => {
  const lines = await samples(used())
  expect(lines).toEqual(
    expect.arrayContaining([
      'logcluster_page_cache_sent_bytes_total{topic="hot",group="billing"} 100',
      'logcluster_page_cache_hit_bytes_total{topic="hot",group="billing"} 90',
      'logcluster_cold_reads_total{group="billing"} 3',
      'logcluster_cold_read_bytes_total{group="billing"} 4000',
      'logcluster_cold_read_wait_seconds_total{group="billing"} 0.25',
      'logcluster_cold_reads_waiting{group="billing"} 2',
      'logcluster_drop_behind_bytes_total 70',
      'logcluster_scan_evicted_hot_bytes_total 60',
      'logcluster_sent_bytes_total{path="sendfile"} 2',
      'logcluster_sent_bytes_total{path="copied"} 3',
      'logcluster_copied_bytes_total{reason="file-read"} 42',
      'logcluster_requests_total{api="Fetch"} 2',
      'logcluster_request_errors_total{api="Fetch",error="OFFSET_OUT_OF_RANGE"} 1',
      'logcluster_request_errors_total{api="Fetch",error="UNKNOWN_SERVER_ERROR"} 0',
      'logcluster_request_errors_total{api="Fetch",error="KAFKA_STORAGE_ERROR"} 0',
      'logcluster_connections_refused_total{reason="max.connections.per.ip"} 0',
      'logcluster_connection_faults_total{reason="frame"} 0',
      'logcluster_disk_free_bytes 400',
      'logcluster_disk_total_bytes 1000',
      'logcluster_request_duration_seconds_count{api="Fetch"} 1',
      'logcluster_connections 9',
      'logcluster_fetch_sessions 3',
      'logcluster_fetch_session_partitions 12',
      'logcluster_fetch_session_evictions_total 1',
      'logcluster_led_partitions 9',
      'logcluster_under_replicated_partitions 8',
      'logcluster_under_min_isr_partitions 7',
      'logcluster_leaderless_partitions 6',
      'logcluster_isr_expands_total 5',
      'logcluster_isr_shrinks_total 4',
      'logcluster_committed_records_cut_total 3',
      'logcluster_active_controller 1',
      'logcluster_controller_id 7',
      'logcluster_controller_epoch 5',
      'logcluster_controller_terms_total 2',
      'logcluster_leader_elections_total{kind="clean"} 4',
      'logcluster_leader_elections_total{kind="unclean"} 1',
      'logcluster_possible_data_loss_total{topic="hot"} 1',
      'logcluster_metadata_applied_sequence 88',
      'logcluster_metadata_log_end_sequence 89',
      'logcluster_cluster_topics 1',
      'logcluster_cluster_partitions 2',
      'logcluster_cluster_leaderless_partitions 11',
      'logcluster_cluster_recovering_partitions 12',
      'logcluster_cluster_not_preferred_partitions 13',
      'logcluster_cluster_reassigning_partitions 14',
      'logcluster_cluster_quarantined 0',
      'logcluster_cluster_broker_fenced{broker="7"} 0',
      'logcluster_cluster_broker_shutting_down{broker="7"} 1',
      'logcluster_cluster_broker_directory_failed{broker="7"} 0',
      'logcluster_metadata_store_operations_total{operation="append",outcome="ok"} 1',
      'logcluster_metadata_store_operations_total{operation="append",outcome="unknown"} 0',
      'logcluster_metadata_store_duration_seconds_count{operation="append"} 1',
      'logcluster_heartbeats_total{outcome="ok"} 1',
      'logcluster_heartbeats_total{outcome="unanswered"} 1',
      'logcluster_heartbeat_duration_seconds_count 1',
      'logcluster_replication_received_bytes_total{leader="2"} 1100',
      'logcluster_replication_fetches_total{leader="2"} 21',
      'logcluster_replication_failures_total{leader="2",error="UNKNOWN_LEADER_EPOCH"} 2',
      'logcluster_replication_followed_partitions{leader="2"} 7',
      'logcluster_replication_behind_records{leader="2"} 31',
      'logcluster_replication_behind_seconds{leader="2"} 1.5',
      'logcluster_replication_sent_bytes_total{follower="3"} 1200',
      'logcluster_replication_lag_bytes{follower="3"} 41',
      'logcluster_replication_lag_seconds{follower="3"} 0.75',
      'logcluster_connections_refused_total{reason="max.connections"} 1',
      'logcluster_appended_bytes_total{topic="hot"} 1000',
      'logcluster_appended_batches_total{topic="hot"} 5',
      'logcluster_unflushed_bytes 10',
      'logcluster_unflushed_age_seconds 0.25',
      'logcluster_flush_overdue_seconds 0.125',
      'logcluster_write_stalls_total 2',
      'logcluster_write_stall_seconds_total 0.5',
      'logcluster_thread_writes_total 3',
      'logcluster_log_start_offset{topic="hot",partition="3"} 7',
      'logcluster_log_end_offset{topic="hot",partition="3"} 13',
      'logcluster_dirty_pressure 1',
      'logcluster_request_memory_bytes 4',
      'logcluster_request_memory_waits_total 5',
      'logcluster_data_path_info{network="native",disk="native",crc="native"} 1',
      'logcluster_page_cache_source_info{source="mincore"} 1',
      'logcluster_login_failures_total{listener="private"} 0',
      'logcluster_metadata_waiting 1',
      'logcluster_metadata_quarantined 0',
      'logcluster_stray_logs 2',
      'logcluster_offline_partitions 3',
      'logcluster_start_class_info{class="B",reason="process-died"} 1',
      'logcluster_build_info{version="1.2.3",node="v24.0.0"} 1',
      'logcluster_consumer_group_members{group="billing",state="Stable"} 2',
      'logcluster_consumer_lag_records{group="billing",topic="hot",partition="3",position="committed",client_id=""} 4',
      'logcluster_consumer_lag_bytes{group="billing",topic="hot",partition="3",position="committed",client_id=""} 170',
      'logcluster_consumer_lag_seconds{group="billing",topic="hot",partition="3",position="committed",client_id=""} 2.5',
      'logcluster_consumer_lag_records{group="billing",topic="hot",partition="3",position="fetch",client_id="reader"} 1',
      'kafka_consumergroup_lag{consumergroup="billing",topic="hot",partition="3"} 4',
      'kafka_consumergroup_lag{consumergroup="billing",topic="hot",partition="4"} -1',
      'kafka_consumergroup_lag_sum{consumergroup="billing",topic="hot"} 4',
      'kafka_consumergroup_current_offset{consumergroup="billing",topic="hot",partition="3"} 8',
      'kafka_consumergroup_current_offset{consumergroup="billing",topic="hot",partition="4"} -1',
      'kafka_consumergroup_current_offset_sum{consumergroup="billing",topic="hot"} 8',
      'kafka_consumergroup_members{consumergroup="billing"} 2',
      'kafka_brokers 1',
      'kafka_broker_info{id="7",address="kafka.example:9092"} 1',
      'kafka_topic_partition_current_offset{topic="hot",partition="3"} 12',
      'kafka_topic_partition_under_replicated_partition{topic="hot",partition="3"} 1',
      'kafka_topic_partitions{topic="hot"} 2',
      'logcluster_cleaner_runs_total 3',
      'logcluster_cleaner_read_bytes_total 300',
      'logcluster_cleaner_written_bytes_total 200',
      'logcluster_cleaner_thread_failures_total 0',
      'logcluster_cleaner_last_run_seconds 1.5',
      'logcluster_cleaner_key_map_ratio 0.25',
      'logcluster_cleaner_max_dirty_ratio 0.75',
      'logcluster_cleaner_uncleanable_partitions 1',
      'logcluster_cleaner_uncleanable_bytes 500',
      'process_cpu_seconds_total 2',
      'process_max_fds 1024',
    ]),
  )
})

test('what cannot be measured is absent, never 0', async () => {
  const lines = await samples(used())
  expect(lines.filter(line => /hit_bytes.*unmeasured|process_open_fds/.test(line))).toEqual([])
  const unmeasured = new Metrics()
  unmeasured.attach({
    coldReads: () => ({ numbers: () => [], droppedBytes: 0, evictedHotBytes: null }),
  })
  const cold = (await samples(unmeasured)).filter(line => /scan_evicted|drop_behind/.test(line))
  expect(cold).toEqual(['logcluster_drop_behind_bytes_total 0'])
  const bare = await samples(new Metrics())
  expect(
    bare.filter(line =>
      /unflushed|process_|logcluster_connections |page_cache|^logcluster_cold|evicted/.test(line),
    ),
  ).toEqual([])
})

test('a counter shows the value of its source at each scrape, and topics that went away are gone', async () => {
  const metrics = new Metrics()
  const place = { leader: 1, replicas: [1], isr: [1], isTold: true }
  const offsets = { startOffset: 0, highWatermark: 1, endOffset: 1 }
  let logs = [{ topic: 'a', partition: 0, ...offsets, sizeBytes: 1, ...place }]
  metrics.attach({ logs: () => logs })
  const ends = async () =>
    (await samples(metrics)).filter(line => line.startsWith('logcluster_log_end_offset'))
  expect(await ends()).toEqual(['logcluster_log_end_offset{topic="a",partition="0"} 1'])
  logs = []
  expect(await ends()).toEqual([])
})

test('what clients see of a partition is told by one broker, and what lies on a disk by each', async () => {
  const metrics = used()
  const others = [...sources.logs()].map(log => ({ ...log, isTold: false }))
  metrics.attach({ logs: () => others })
  const lines = await samples(metrics)
  expect(lines.filter(line => line.startsWith('kafka_topic_partition_'))).toEqual([])
  expect(lines).toContain('logcluster_log_end_offset{topic="hot",partition="3"} 13')
})

test('what is a fact of the cluster is told by the controller alone', async () => {
  const metrics = used()
  metrics.attach({ cluster: () => ({ ...sources.cluster(), isController: false, state: null }) })
  const lines = await samples(metrics)
  const facts =
    /^(?:logcluster_cluster_|logcluster_metadata_log_end|kafka_brokers|kafka_topic_partitions)/
  expect(lines.filter(line => facts.test(line))).toEqual([])
  expect(lines).toContain('logcluster_active_controller 0')
})

test('series of groups beyond the bound are left out, and counted', async () => {
  const metrics = used()
  metrics.attach({ groupSeriesMax: () => 1 })
  const lines = await samples(metrics)
  for (const metric of ['logcluster_consumer_lag_records', 'kafka_consumergroup_lag']) {
    expect(lines.filter(line => line.startsWith(`${metric}{`))).toHaveLength(1)
    expect(lines).toContain(`logcluster_metrics_left_out_series{metric="${metric}"} 1`)
  }
  // A sum is of everything, told or not.
  expect(lines).toContain('kafka_consumergroup_lag_sum{consumergroup="billing",topic="hot"} 4')
})

test('groups beyond the bound are left out, and counted', async () => {
  const metrics = used()
  const groups = ['a', 'b', 'c'].map(group => ({ group, state: 'Empty', memberCount: 0 }))
  metrics.attach({ groups: () => groups, groupSeriesMax: () => 2 })
  const lines = await samples(metrics)
  for (const metric of ['logcluster_consumer_group_members', 'kafka_consumergroup_members']) {
    expect(lines.filter(line => line.startsWith(`${metric}{`))).toHaveLength(2)
    expect(lines).toContain(`logcluster_metrics_left_out_series{metric="${metric}"} 1`)
  }
})

test('the lag of the event loop is measured from what was asked', () => {
  let nowMs = 0
  let tick = () => {}
  const seen: number[] = []
  const clock = {
    now: () => 0,
    monotonic: () => nowMs,
    after: () => ({ cancel: () => {} }),
    every: (_: number, act: () => void) => ((tick = act), { cancel: () => {} }),
    soon: () => {},
  }
  watchLoopLag(clock, seconds => seen.push(seconds), 50)
  for (const at of [50, 130, 180]) {
    nowMs = at
    tick()
  }
  expect(seen).toEqual([0, 0.03, 0])
})

describeWith('promtool', 'promtool check metrics', () => {
  test.each([
    ['a used broker', used],
    ['a fresh one', () => new Metrics()],
  ])('finds nothing in the metrics of %s', async (_, make) => {
    expect(await checkMetrics(await make().text())).toBe('')
  })
})
