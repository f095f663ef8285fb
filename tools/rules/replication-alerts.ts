import { brokerLabels, clusterLabels, grownLately, type RuleGroup } from './rule.ts'

const inCluster = `by (${clusterLabels})`

/**
 * Of what is copied, who leads it, and who decides. Most tell of a cluster and not of each broker that sees it, and wait longer
 * than a broker is away that restarts, so that a roll of all of them alerts nobody.
 */
export const replicationAlerts: RuleGroup = {
  name: 'logcluster-replication',
  rules: [
    {
      alert: 'LogClusterPossibleDataLoss',
      expr: `sum by (${clusterLabels}, kind) ${grownLately('logcluster_leader_elections_total{kind=~"recovered|unclean"}')}`,
      for: '1m',
      severity: 'critical',
      summary: 'Records of {{ $labels.logcluster }} may be lost.',
      description:
        'Within half an hour leaders were elected ({{ $labels.kind }}) that may lack records that were acknowledged.',
    },
    {
      alert: 'LogClusterCommittedRecordsCut',
      expr: `sum by (${brokerLabels}) ${grownLately('logcluster_committed_records_cut_total')}`,
      for: '1m',
      severity: 'critical',
      summary:
        'Broker {{ $labels.logcluster }} {{ $labels.instance }} removed records that were acknowledged.',
      description:
        'About {{ $value | humanize }} records that it knew to be committed are not in the log of the leader that it follows now.',
    },
    {
      alert: 'LogClusterPartitionsLeaderless',
      expr: `sum ${inCluster} (logcluster_cluster_leaderless_partitions) > 0`,
      for: '5m',
      severity: 'critical',
      summary: 'Partitions of {{ $labels.logcluster }} have no leader.',
      description: 'Nobody can write to or read from {{ $value }} partitions.',
    },
    {
      alert: 'LogClusterUnderMinIsr',
      expr: `sum ${inCluster} (logcluster_under_min_isr_partitions) > 0`,
      for: '5m',
      severity: 'critical',
      summary: 'Partitions of {{ $labels.logcluster }} refuse writes with acks=all.',
      description:
        'Of {{ $value }} partitions fewer replicas are in sync than min.insync.replicas asks for.',
    },
    {
      alert: 'LogClusterUnderReplicated',
      expr: `sum ${inCluster} (logcluster_under_replicated_partitions) > 0`,
      for: '20m',
      severity: 'warning',
      summary: 'Partitions of {{ $labels.logcluster }} are not fully replicated.',
      description: 'Of {{ $value }} partitions some replica is not in sync.',
    },
    {
      alert: 'LogClusterControllerCount',
      expr: `sum ${inCluster} (logcluster_active_controller) != 1 and count ${inCluster} (logcluster_active_controller) > 1`,
      for: '5m',
      severity: 'critical',
      summary: '{{ $labels.logcluster }} has {{ $value }} controllers.',
      description:
        'Exactly one broker has to decide. Without one no leader is elected and no topic is made; of two that call themselves so one is cut off.',
    },
    {
      alert: 'LogClusterControllerQuarantined',
      expr: `max ${inCluster} (logcluster_cluster_quarantined) == 1`,
      for: '5m',
      severity: 'critical',
      summary: 'The controller of {{ $labels.logcluster }} decides nothing.',
      description:
        'A broker followed another metadata log than the store has. Leaders that are there serve on; none is elected.',
    },
    {
      alert: 'LogClusterMetadataStoreFails',
      expr: `sum by (${brokerLabels}) (rate(logcluster_metadata_store_operations_total{outcome=~"unavailable|unknown|refused"}[5m])) > 0 unless sum by (${brokerLabels}) (rate(logcluster_metadata_store_operations_total{outcome=~"ok|conflict"}[5m])) > 0`,
      for: '5m',
      severity: 'warning',
      summary:
        'The metadata store does not answer broker {{ $labels.logcluster }} {{ $labels.instance }}.',
      description:
        '{{ $value | humanize }} operations a second fail, and none succeeded for five minutes.',
    },
    {
      // The two are told by different brokers, and scraped up to an interval apart: so long nobody is behind by what came meanwhile.
      alert: 'LogClusterMetadataBehind',
      expr: `max by (${brokerLabels}) (logcluster_metadata_applied_sequence) < on (${clusterLabels}) group_left () (max ${inCluster} (logcluster_metadata_log_end_sequence offset 2m) - 10)`,
      for: '10m',
      severity: 'warning',
      summary:
        'Broker {{ $labels.logcluster }} {{ $labels.instance }} does not follow the metadata log.',
      description:
        'It has applied record {{ $value }}, and the controller is further: it acts by what was true before.',
    },
    {
      alert: 'LogClusterBrokerFenced',
      expr: `max by (${clusterLabels}, broker) (logcluster_cluster_broker_fenced) == 1`,
      for: '10m',
      severity: 'warning',
      summary: 'Broker {{ $labels.broker }} of {{ $labels.logcluster }} takes no part.',
      description:
        'The controller does not hear of it, or it is not ready: it leads nothing and is in no in-sync set.',
    },
    {
      alert: 'LogClusterDirectoryFailed',
      expr: `max by (${clusterLabels}, broker) (logcluster_cluster_broker_directory_failed) == 1`,
      for: '5m',
      severity: 'critical',
      summary:
        'The data directory of broker {{ $labels.broker }} of {{ $labels.logcluster }} failed.',
      description: 'The cluster does not count on it any more: the broker needs another disk.',
    },
    {
      // Whoever is given replicas is behind until they are there; of replicas that are counted on LogClusterUnderReplicated tells meanwhile.
      alert: 'LogClusterReplicationBehind',
      expr: `max by (${brokerLabels}) (logcluster_replication_behind_seconds) > 120 unless on (${clusterLabels}) logcluster:logcluster_cluster_reassigning_partitions:sum > 0`,
      for: '15m',
      severity: 'warning',
      summary:
        'Broker {{ $labels.logcluster }} {{ $labels.instance }} does not keep up with its leaders.',
      description:
        'On some partition it has been behind for {{ $value | humanizeDuration }}, or a leader does not answer it.',
    },
    {
      alert: 'LogClusterReassignmentStuck',
      expr: `logcluster:logcluster_cluster_reassigning_partitions:sum > 0 and delta(logcluster:logcluster_cluster_reassigning_partitions:sum[1h]) == 0`,
      for: '1h',
      severity: 'warning',
      summary: 'A reassignment of {{ $labels.logcluster }} does not get on.',
      description:
        '{{ $value }} partitions are on their way to other brokers, and for an hour none arrived.',
    },
  ],
}
