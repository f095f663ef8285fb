import { type Board, broker, panel, quantileBy, rateBy, topicChoice } from './panel.ts'

/** What is asked first: does it serve, how much, how fast, and is there room. */
export const clusterBoard: Board = {
  uid: 'logcluster-cluster',
  title: 'LogCluster / Cluster',
  text: 'Does the cluster serve, how much, how fast, and is there room.',
  target: 'logcluster_build_info',
  choices: [topicChoice],
  rows: [
    {
      title: 'Now',
      panels: [
        panel({
          title: 'Brokers that answer',
          text: 'Brokers whose last scrape succeeded.',
          unit: 'short',
          kind: 'stat',
          expr: `sum(up{${broker}})`,
          legend: 'brokers',
        }),
        panel({
          title: 'Partitions',
          text: 'Partitions of all topics, internal ones too.',
          unit: 'short',
          kind: 'stat',
          expr: `sum(max by (logcluster, topic) (kafka_topic_partitions{${broker}}))`,
          legend: 'partitions',
        }),
        panel({
          title: 'Partitions without a leader',
          text: 'Nobody can write to or read from these.',
          unit: 'short',
          kind: 'stat',
          redFrom: 1,
          expr: `count(kafka_topic_partition_leader{${broker}} == -1) or vector(0)`,
          legend: 'partitions',
        }),
        panel({
          title: 'Failed disks',
          text: 'Brokers whose data directory takes no more, after a write or a flush failed.',
          unit: 'short',
          kind: 'stat',
          redFrom: 1,
          expr: `sum(logcluster_storage_failed{${broker}})`,
          legend: 'brokers',
        }),
        panel({
          title: 'Metadata waits',
          text: 'Brokers whose metadata store does not answer: they serve, but no topic can be made or changed.',
          unit: 'short',
          kind: 'stat',
          redFrom: 1,
          expr: `sum(logcluster_metadata_waiting{${broker}})`,
          legend: 'brokers',
        }),
        panel({
          title: 'Furthest behind',
          text: 'Age of the oldest record that some consumer group has not committed.',
          unit: 's',
          kind: 'stat',
          expr: `max(logcluster_consumer_lag_seconds{${broker}, position="committed"}) or vector(0)`,
          legend: 'behind',
        }),
      ],
    },
    {
      title: 'Traffic',
      panels: [
        panel({
          title: 'In',
          text: 'Bytes a second that producers write, by topic.',
          unit: 'Bps',
          isStacked: true,
          expr: rateBy('topic', 'logcluster_appended_bytes_total', `${broker}, topic=~"$topic"`),
          legend: '{{topic}}',
        }),
        panel({
          title: 'Out',
          text: 'Bytes a second that consumers are sent, by topic.',
          unit: 'Bps',
          isStacked: true,
          expr: rateBy(
            'topic',
            'logcluster_page_cache_sent_bytes_total',
            `${broker}, topic=~"$topic"`,
          ),
          legend: '{{topic}}',
        }),
        panel({
          title: 'Records in',
          text: 'Offsets a second that a topic grows by, which are records, and markers of transactions.',
          unit: 'short',
          expr: rateBy(
            'topic',
            'kafka_topic_partition_current_offset',
            `${broker}, topic=~"$topic"`,
          ),
          legend: '{{topic}}',
        }),
        panel({
          title: 'Requests',
          text: 'Requests a second, by API.',
          unit: 'reqps',
          isStacked: true,
          expr: rateBy('api', 'logcluster_requests_total'),
          legend: '{{api}}',
        }),
        panel({
          title: 'Errors',
          text: 'Errors a second that answers tell, by API and error. Some are part of a normal life, such as OFFSET_OUT_OF_RANGE of a consumer that starts.',
          unit: 'reqps',
          expr: rateBy('api, error', 'logcluster_request_errors_total'),
          legend: '{{api}} {{error}}',
        }),
        panel({
          title: 'Connections',
          text: 'Open connections, by broker.',
          unit: 'short',
          expr: `sum by (instance) (logcluster_connections{${broker}})`,
          legend: '{{instance}}',
        }),
      ],
    },
    {
      title: 'Latency',
      panels: [
        {
          title: 'Produce',
          text: 'From the whole request to its answer in the output queue.',
          unit: 's',
          queries: [0.5, 0.99].map(q => ({
            expr: quantileBy(
              q,
              '',
              'logcluster_request_duration_seconds',
              `${broker}, api="Produce"`,
            ),
            legend: `p${q * 100}`,
          })),
        },
        panel({
          title: 'By API, p99',
          text: 'From the whole request to its answer in the output queue; a fetch that waits for records counts its wait.',
          unit: 's',
          expr: quantileBy(0.99, 'api', 'logcluster_request_duration_seconds'),
          legend: '{{api}}',
        }),
      ],
    },
    {
      title: 'Data',
      panels: [
        panel({
          title: 'Size',
          text: 'Bytes of all segments, by topic.',
          unit: 'bytes',
          isStacked: true,
          expr: `sum by (topic) (logcluster_log_size_bytes{${broker}, topic=~"$topic"})`,
          legend: '{{topic}}',
        }),
        panel({
          title: 'Room on disk',
          text: "Bytes that are free on the file system of a broker's data.",
          unit: 'bytes',
          expr: `min by (instance) (logcluster_disk_free_bytes{${broker}})`,
          legend: '{{instance}}',
        }),
      ],
    },
  ],
}
