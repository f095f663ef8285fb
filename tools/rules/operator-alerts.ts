import type { RuleGroup } from './rule.ts'

export const operatorAlerts: RuleGroup = {
  name: 'logcluster-operator',
  rules: [
    {
      alert: 'LogClusterNotReady',
      expr: 'max by (namespace, kind) (sum by (namespace, instance, kind) (logcluster_operator_conditions{condition="Ready", status!="True"})) > 0',
      for: '15m',
      severity: 'warning',
      summary: 'Some {{ $labels.kind }} is not Ready.',
      description: '{{ $value }} objects have not been Ready for a quarter of an hour.',
    },
    {
      alert: 'LogClusterDegraded',
      expr: 'max by (namespace, kind) (logcluster_operator_conditions{condition="Degraded", status="True"}) > 0',
      for: '5m',
      severity: 'warning',
      summary: 'Some {{ $labels.kind }} needs a person.',
      description:
        '{{ $value }} objects are Degraded; the message of the condition says what to do.',
    },
    {
      alert: 'LogClusterOperatorDown',
      expr: 'absent(logcluster_operator_leader_election_master_status == 1)',
      for: '10m',
      severity: 'warning',
      summary: 'No LogCluster operator leads.',
      description: 'Brokers serve on, but nothing that is changed or broken is taken care of.',
    },
    {
      alert: 'LogClusterOperatorFails',
      expr: 'max by (namespace, name) (logcluster_operator_workqueue_failing_keys) > 0',
      for: '15m',
      severity: 'warning',
      summary: 'The operator fails on objects of kind {{ $labels.name }}.',
      description: 'The last pass of {{ $value }} objects failed, for a quarter of an hour.',
    },
    {
      alert: 'LogClusterOperatorStalled',
      expr: 'time() - logcluster_operator_reconcile_start_timestamp_seconds > 600',
      for: '5m',
      severity: 'warning',
      summary: 'A pass of the operator over {{ $labels.controller }} does not end.',
      description: 'It has been running for {{ $value | humanizeDuration }}; passes take seconds.',
    },
    {
      alert: 'LogClusterOperatorSaturated',
      expr: 'logcluster_operator_workqueue_depth > 20',
      for: '15m',
      severity: 'warning',
      summary: 'The operator does not keep up with {{ $labels.name }}.',
      description: '{{ $value }} objects wait for a worker.',
    },
    {
      alert: 'LogClusterOperatorRunaway',
      expr: 'sum by (namespace) (rate(logcluster_operator_api_requests_total{verb=~"create|apply|update|patch|delete"}[10m])) > 5',
      for: '30m',
      severity: 'warning',
      summary: 'The operator writes without end.',
      description:
        '{{ $value | humanize }} writes a second for half an hour: it does not come to rest, or somebody undoes what it does.',
    },
    {
      alert: 'LogClusterOperatorForbidden',
      expr: 'sum by (namespace, verb) (increase(logcluster_operator_api_requests_total{code="403"}[10m])) > 0',
      for: '5m',
      severity: 'warning',
      summary: 'The operator may not {{ $labels.verb }} what it has to.',
      description: 'The API server refused {{ $value | humanize }} requests within ten minutes.',
    },
    {
      alert: 'LogClusterOperatorApiErrors',
      expr: 'sum by (namespace, code) (rate(logcluster_operator_api_requests_total{code=~"5..|unreachable|unknown"}[5m])) > 0.1',
      for: '15m',
      severity: 'warning',
      summary: 'The API server fails the operator: {{ $labels.code }}.',
      description:
        '{{ $value | humanize }} requests a second fail. Brokers serve on; changes wait.',
    },
  ],
}
