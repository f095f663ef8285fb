import { type Board, broker, groupChoice, panel, topicChoice } from './panel.ts'

const lag = `${broker}, topic=~"$topic", group=~"$group"`
const committed = `${lag}, position="committed"`
const exporter = `${broker}, topic=~"$topic", consumergroup=~"$group"`

/** How far behind each consumer group is, in records, bytes and seconds. */
export const consumersBoard: Board = {
  uid: 'logcluster-consumers',
  title: 'LogCluster / Consumers',
  text: 'Consumer groups: how far behind in records, bytes and seconds, whether they keep up, and who is in them.',
  target: 'logcluster_build_info',
  choices: [topicChoice, groupChoice],
  rows: [
    {
      title: 'Behind',
      panels: [
        panel({
          title: 'Seconds behind',
          text: 'Age of the oldest record that a group has not committed, by its own timestamp.',
          unit: 's',
          expr: `max by (group) (logcluster_consumer_lag_seconds{${committed}})`,
          legend: '{{group}}',
        }),
        panel({
          title: 'Records behind',
          text: 'Records that a group has not committed.',
          unit: 'short',
          expr: `sum by (group) (logcluster_consumer_lag_records{${committed}})`,
          legend: '{{group}}',
        }),
        panel({
          title: 'Bytes behind',
          text: 'Bytes that a group has not committed, estimated from the indexes. Beside the memory of the machine it tells whether they are still in the page cache.',
          unit: 'bytes',
          expr: `sum by (group) (logcluster_consumer_lag_bytes{${committed}})`,
          legend: '{{group}}',
        }),
        panel({
          title: 'Fetched and not committed',
          text: 'Seconds by which what a group committed is behind what it fetched: work in progress, or a consumer that forgets to commit.',
          unit: 's',
          expr: `max by (group) (logcluster_consumer_lag_seconds{${committed}}) - max by (group) (logcluster_consumer_lag_seconds{${lag}, position="fetch"})`,
          legend: '{{group}}',
        }),
      ],
    },
    {
      title: 'Keeping up',
      panels: [
        panel({
          title: 'Committed',
          text: 'Records a second that a group commits.',
          unit: 'short',
          expr: `sum by (consumergroup) (rate(kafka_consumergroup_current_offset_sum{${exporter}}[$__rate_interval]))`,
          legend: '{{consumergroup}}',
        }),
        panel({
          title: 'Produced',
          text: 'Records a second that the topics grow by.',
          unit: 'short',
          expr: `sum by (topic) (rate(kafka_topic_partition_current_offset{${broker}, topic=~"$topic"}[$__rate_interval]))`,
          legend: '{{topic}}',
        }),
        panel({
          title: 'Change of lag',
          text: 'Records a second by which a group falls behind; below zero it catches up.',
          unit: 'short',
          expr: `sum by (group) (deriv(logcluster_consumer_lag_records{${committed}}[$__rate_interval]))`,
          legend: '{{group}}',
        }),
        panel({
          title: 'Partitions furthest behind',
          text: 'The ten partitions with the most records that a group has not committed.',
          unit: 'short',
          expr: `topk(10, kafka_consumergroup_lag{${exporter}})`,
          legend: '{{consumergroup}} {{topic}} {{partition}}',
        }),
      ],
    },
    {
      title: 'Groups',
      panels: [
        panel({
          title: 'Members',
          text: 'Members of a group, and the state that it is in.',
          unit: 'short',
          expr: `sum by (group, state) (logcluster_consumer_group_members{${broker}, group=~"$group"})`,
          legend: '{{group}} {{state}}',
        }),
        panel({
          title: 'Series left out',
          text: 'Series by group that metrics.group.series.max kept out of the last scrape: what is missing above.',
          unit: 'short',
          expr: `sum by (metric) (logcluster_metrics_left_out_series{${broker}})`,
          legend: '{{metric}}',
        }),
      ],
    },
  ],
}
