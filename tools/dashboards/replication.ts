import { broker, panel, quantileBy, rateBy, type Panel, type Row } from './panel.ts'

const isController = `logcluster_active_controller{${broker}} == 1`

/** One glance: is everything led, replicated and writable, and who decides. */
export const replicationNow: readonly Panel[] = [
  panel({
    title: 'Under min ISR',
    text: 'Partitions of which fewer than min.insync.replicas are in sync: a producer with acks=all gets an error.',
    unit: 'short',
    kind: 'stat',
    redFrom: 1,
    expr: `sum(logcluster_under_min_isr_partitions{${broker}})`,
    legend: 'partitions',
  }),
  panel({
    title: 'Under-replicated',
    text: 'Partitions of which some replica is not in sync. While a broker restarts that is normal.',
    unit: 'short',
    kind: 'stat',
    redFrom: 1,
    expr: `sum(logcluster_under_replicated_partitions{${broker}})`,
    legend: 'partitions',
  }),
  panel({
    title: 'Controller',
    text: 'Number of the broker that decides over the cluster. None shows nothing: nobody is elected and no topic can be made.',
    unit: 'none',
    kind: 'stat',
    expr: `max by (logcluster) (logcluster_controller_id{${broker}} and ${isController})`,
    legend: '{{logcluster}}',
  }),
  panel({
    title: 'Fenced brokers',
    text: 'Registered brokers that neither lead nor are in sync, because they are not heard of or not ready.',
    unit: 'short',
    kind: 'stat',
    redFrom: 1,
    expr: `sum(logcluster_cluster_broker_fenced{${broker}})`,
    legend: 'brokers',
  }),
  panel({
    title: 'May have lost records',
    text: 'Elections in the time that is looked at after which acknowledged records may be gone.',
    unit: 'short',
    kind: 'stat',
    redFrom: 1,
    expr: `sum(increase(logcluster_leader_elections_total{${broker}, kind=~"recovered|unclean"}[$__range])) or vector(0)`,
    legend: 'elections',
  }),
]

export const replicationRow: Row = {
  title: 'Replication',
  panels: [
    {
      title: 'Not fully replicated',
      text: 'Partitions of which a replica is not in sync, those of them that producers with acks=all cannot write to, and those that nobody leads.',
      unit: 'short',
      queries: [
        {
          expr: `sum(logcluster_under_replicated_partitions{${broker}})`,
          legend: 'under-replicated',
        },
        { expr: `sum(logcluster_under_min_isr_partitions{${broker}})`, legend: 'under min ISR' },
        {
          expr: `sum(logcluster_cluster_leaderless_partitions{${broker}})`,
          legend: 'without a leader',
        },
      ],
    },
    {
      title: 'In-sync sets',
      text: 'Replicas a second that leave in-sync sets, and that join them again.',
      unit: 'short',
      queries: [
        { expr: rateBy('', 'logcluster_isr_shrinks_total'), legend: 'shrinks' },
        { expr: rateBy('', 'logcluster_isr_expands_total'), legend: 'expands' },
      ],
    },
    panel({
      title: 'Followers behind, seconds',
      text: 'Time since a follower last had everything of the partition with which it is behind the longest, as leaders see it. Of a broker that is gone it grows.',
      unit: 's',
      expr: `max by (follower) (logcluster_replication_lag_seconds{${broker}})`,
      legend: 'broker {{follower}}',
    }),
    panel({
      title: 'Followers behind, bytes',
      text: 'Bytes that a follower lacks of the partition of which it lacks most, as leaders see it.',
      unit: 'bytes',
      expr: `max by (follower) (logcluster_replication_lag_bytes{${broker}})`,
      legend: 'broker {{follower}}',
    }),
    panel({
      title: 'Behind their leaders',
      text: 'Time since which a broker is behind on some partition, or its leader does not answer, as followers see it.',
      unit: 's',
      expr: `max by (instance, leader) (logcluster_replication_behind_seconds{${broker}})`,
      legend: '{{instance}} of broker {{leader}}',
    }),
    panel({
      title: 'Replicated',
      text: 'Bytes a second that brokers fetch from leaders.',
      unit: 'Bps',
      isStacked: true,
      expr: rateBy('instance', 'logcluster_replication_received_bytes_total'),
      legend: '{{instance}}',
    }),
    panel({
      title: 'Partitions led',
      text: 'Partitions that each broker leads: alike, where leaders are where they belong.',
      unit: 'short',
      isStacked: true,
      expr: `sum by (instance) (logcluster_led_partitions{${broker}})`,
      legend: '{{instance}}',
    }),
    {
      title: 'On the move',
      text: 'Partitions that are on their way to other brokers, and those that somebody else leads than their first replica.',
      unit: 'short',
      queries: [
        {
          expr: `sum(logcluster_cluster_reassigning_partitions{${broker}})`,
          legend: 'reassigning',
        },
        {
          expr: `sum(logcluster_cluster_not_preferred_partitions{${broker}})`,
          legend: 'not led by the first replica',
        },
      ],
    },
  ],
}

export const controllerRow: Row = {
  title: 'Controller and metadata',
  panels: [
    panel({
      title: 'Leader elections',
      text: 'Leaders a second that are elected, by kind: after recovered and unclean ones acknowledged records may be gone.',
      unit: 'short',
      isStacked: true,
      expr: rateBy('kind', 'logcluster_leader_elections_total'),
      legend: '{{kind}}',
    }),
    panel({
      title: 'Terms of controllers',
      text: 'Epoch of the controller: each step is another one.',
      unit: 'short',
      expr: `max by (logcluster) (logcluster_controller_epoch{${broker}})`,
      legend: 'epoch {{logcluster}}',
    }),
    panel({
      title: 'Metadata applied',
      text: 'The last record of the metadata log that each broker has applied: brokers that agree lie on one line.',
      unit: 'short',
      expr: `max by (instance) (logcluster_metadata_applied_sequence{${broker}})`,
      legend: '{{instance}}',
    }),
    panel({
      title: 'Metadata store, p99',
      text: 'Time that operations on the metadata store take.',
      unit: 's',
      expr: quantileBy(0.99, 'operation', 'logcluster_metadata_store_duration_seconds'),
      legend: '{{operation}}',
    }),
    panel({
      title: 'Metadata store, outcomes',
      text: 'Operations a second on the metadata store, by what came of them.',
      unit: 'ops',
      isStacked: true,
      expr: rateBy('outcome', 'logcluster_metadata_store_operations_total'),
      legend: '{{outcome}}',
    }),
    panel({
      title: 'Signs of life, p99',
      text: 'Time from a sign of life of a broker to the answer of the controller.',
      unit: 's',
      expr: quantileBy(0.99, 'instance', 'logcluster_heartbeat_duration_seconds'),
      legend: '{{instance}}',
    }),
    panel({
      title: 'Signs of life, outcomes',
      text: 'Signs of life a second, by what came of them: unanswered for some seconds fences a broker.',
      unit: 'ops',
      expr: rateBy('instance, outcome', 'logcluster_heartbeats_total'),
      legend: '{{instance}} {{outcome}}',
    }),
  ],
}
