import { type Board, operator, panel, quantileBy, rateBy } from './panel.ts'

const by = (labels: string, metric: string): string =>
  rateBy(labels, `logcluster_operator_${metric}`, operator)

/** Objects by kind whose condition is so; 0 where none is. */
function withCondition(condition: string): string {
  const seen = `sum by (kind) (logcluster_operator_conditions{${operator}, ${condition}})`
  return `${seen} or 0 * max by (kind) (logcluster_operator_objects{${operator}})`
}

/** Whether the operator works, what at, and what it asks of the API server. */
export const operatorBoard: Board = {
  uid: 'logcluster-operator',
  title: 'LogCluster / Operator',
  text: 'Does the operator work, what at, and what does it ask of the API server. Brokers serve on without it.',
  target: 'logcluster_operator_build_info',
  choices: [],
  rows: [
    {
      title: 'Now',
      panels: [
        panel({
          title: 'Leaders',
          text: 'Processes that lead: one, or nothing is reconciled.',
          unit: 'short',
          kind: 'stat',
          width: 6,
          expr: `sum(logcluster_operator_leader_election_master_status{${operator}})`,
          legend: 'leaders',
        }),
        panel({
          title: 'Objects',
          text: 'Objects of all kinds that the operator looks after.',
          unit: 'short',
          kind: 'stat',
          width: 6,
          expr: `sum(max by (kind) (logcluster_operator_objects{${operator}}))`,
          legend: 'objects',
        }),
        panel({
          title: 'Failing',
          text: 'Objects whose last pass failed; each is tried again, later and later.',
          unit: 'short',
          kind: 'stat',
          width: 6,
          redFrom: 1,
          expr: `sum(logcluster_operator_workqueue_failing_keys{${operator}})`,
          legend: 'failing',
        }),
        panel({
          title: 'Last success',
          text: 'Time since a pass last succeeded.',
          unit: 's',
          kind: 'stat',
          width: 6,
          expr: `time() - max(logcluster_operator_last_success_timestamp_seconds{${operator}})`,
          legend: 'ago',
        }),
      ],
    },
    {
      title: 'Objects',
      panels: [
        panel({
          title: 'By kind',
          text: 'Objects that the operator looks after.',
          unit: 'short',
          expr: `max by (kind) (logcluster_operator_objects{${operator}})`,
          legend: '{{kind}}',
        }),
        panel({
          title: 'Not Ready',
          text: 'Objects whose condition Ready is False or Unknown; `kubectl get lc-all -A` names them.',
          unit: 'short',
          expr: withCondition('condition="Ready", status!="True"'),
          legend: '{{kind}}',
        }),
        panel({
          title: 'Needs a person',
          text: 'LogClusters whose condition Degraded is True: the message says what to do.',
          unit: 'short',
          expr: withCondition('condition="Degraded", status="True"'),
          legend: '{{kind}}',
        }),
        panel({
          title: 'Being changed',
          text: 'LogClusters at which the operator is at work.',
          unit: 'short',
          expr: withCondition('condition="Progressing", status="True"'),
          legend: '{{kind}}',
        }),
      ],
    },
    {
      title: 'Passes',
      panels: [
        panel({
          title: 'Passes',
          text: 'Passes a second, by controller and how they ended. A cluster at rest has few.',
          unit: 'ops',
          isStacked: true,
          expr: by('controller, result', 'reconcile_total'),
          legend: '{{controller}} {{result}}',
        }),
        panel({
          title: 'Errors',
          text: 'Passes a second that failed, by controller.',
          unit: 'ops',
          expr: by('controller', 'reconcile_errors_total'),
          legend: '{{controller}}',
        }),
        panel({
          title: 'Duration, p99',
          text: 'How long a pass took, by controller.',
          unit: 's',
          expr: quantileBy(
            0.99,
            'controller',
            'logcluster_operator_reconcile_time_seconds',
            operator,
          ),
          legend: '{{controller}}',
        }),
        panel({
          title: 'Longest running',
          text: 'How long the longest running pass has been running, by controller.',
          unit: 's',
          expr: `max by (name) (logcluster_operator_workqueue_longest_running_processor_seconds{${operator}})`,
          legend: '{{name}}',
        }),
      ],
    },
    {
      title: 'Queues',
      panels: [
        panel({
          title: 'Depth',
          text: 'Objects that are due and wait for a worker.',
          unit: 'short',
          expr: `sum by (name) (logcluster_operator_workqueue_depth{${operator}})`,
          legend: '{{name}}',
        }),
        panel({
          title: 'Wait, p99',
          text: 'How long an object was due before its pass began.',
          unit: 's',
          expr: quantileBy(
            0.99,
            'name',
            'logcluster_operator_workqueue_queue_duration_seconds',
            operator,
          ),
          legend: '{{name}}',
        }),
        {
          title: 'Added and tried again',
          text: 'Objects a second that were added, and that failed and are tried again.',
          unit: 'ops',
          queries: [
            { expr: by('name', 'workqueue_adds_total'), legend: '{{name}} added' },
            { expr: by('name', 'workqueue_retries_total'), legend: '{{name}} again' },
          ],
        },
        panel({
          title: 'Workers',
          text: 'Passes that are running, by controller.',
          unit: 'short',
          expr: `sum by (controller) (logcluster_operator_active_workers{${operator}})`,
          legend: '{{controller}}',
        }),
      ],
    },
    {
      title: 'API server',
      panels: [
        panel({
          title: 'Requests',
          text: 'Requests a second, by verb and HTTP status, or by what came in its place. At rest nothing is written but the Lease.',
          unit: 'reqps',
          isStacked: true,
          expr: by('verb, code', 'api_requests_total'),
          legend: '{{verb}} {{code}}',
        }),
        panel({
          title: 'Latency, p99',
          text: 'From a request to the head of its answer, by verb.',
          unit: 's',
          expr: quantileBy(
            0.99,
            'verb',
            'logcluster_operator_api_request_duration_seconds',
            operator,
          ),
          legend: '{{verb}}',
        }),
        panel({
          title: 'Watches that failed',
          text: 'Lists and watches a second that failed, by kind; they are tried again.',
          unit: 'ops',
          expr: by('kind', 'watch_failures_total'),
          legend: '{{kind}}',
        }),
        panel({
          title: 'Events that were not written',
          text: 'Events of Kubernetes a second that could not be written.',
          unit: 'ops',
          expr: by('', 'events_dropped_total'),
          legend: 'dropped',
        }),
      ],
    },
    {
      title: 'Process',
      panels: [
        panel({
          title: 'CPU',
          text: 'Cores that the process uses.',
          unit: 'short',
          expr: rateBy('instance', 'process_cpu_seconds_total', operator),
          legend: '{{instance}}',
        }),
        panel({
          title: 'Memory',
          text: 'Resident memory of the process.',
          unit: 'bytes',
          expr: `max by (instance) (process_resident_memory_bytes{${operator}})`,
          legend: '{{instance}}',
        }),
      ],
    },
  ],
}
