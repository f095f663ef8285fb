import { clusterLabels, type Recording, type RuleGroup } from './rule.ts'

function rate(level: string, labels: string, metric: string): Recording {
  const by = [clusterLabels, labels].filter(part => part !== '').join(', ')
  return {
    record: `${level}:${metric}:rate5m`,
    expr: `sum by (${by}) (rate(${metric}_total[5m]))`,
  }
}

/** Of what was sent and can be measured, the part that no device had to deliver: where it cannot there is no hit beside what was sent. */
function hitRatio(level: string, labels: string): Recording {
  const by = [clusterLabels, labels].filter(part => part !== '').join(', ')
  const [hit, sent] = ['hit', 'sent'].map(
    part => `rate(logcluster_page_cache_${part}_bytes_total[5m])`,
  )
  return {
    record: `${level}:logcluster_page_cache_hit:ratio_rate5m`,
    expr: `sum by (${by}) (${hit}) / (sum by (${by}) (${sent} and ${hit}) > 0)`,
  }
}

/** What alerts stand on, and what is asked so often that it is worth keeping. */
export const recordings: RuleGroup = {
  name: 'logcluster-recordings',
  rules: [
    rate('logcluster_topic', 'topic', 'logcluster_appended_bytes'),
    rate('logcluster_topic', 'topic', 'logcluster_page_cache_sent_bytes'),
    rate('logcluster', '', 'logcluster_page_cache_sent_bytes'),
    hitRatio('logcluster', ''),
    hitRatio('logcluster_topic', 'topic'),
    hitRatio('logcluster_group', 'group'),
    {
      record: 'logcluster_group_topic:logcluster_consumer_lag_seconds:max',
      expr: `max by (${clusterLabels}, group, topic) (logcluster_consumer_lag_seconds{position="committed"})`,
    },
    {
      record: 'logcluster_group_topic:logcluster_consumer_lag_records:sum',
      expr: `sum by (${clusterLabels}, group, topic) (logcluster_consumer_lag_records{position="committed"})`,
    },
    {
      record: 'logcluster:logcluster_cluster_reassigning_partitions:sum',
      expr: `sum by (${clusterLabels}) (logcluster_cluster_reassigning_partitions)`,
    },
    {
      record: 'logcluster_api:logcluster_request_duration_seconds:p99_rate5m',
      expr: `histogram_quantile(0.99, sum by (${clusterLabels}, api, le) (rate(logcluster_request_duration_seconds_bucket[5m])))`,
    },
  ],
}
