import { stringify } from 'yaml'
import { brokerAlerts, storageAlerts } from './broker-alerts.ts'
import { operatorAlerts } from './operator-alerts.ts'
import { recordings } from './recordings.ts'
import { replicationAlerts } from './replication-alerts.ts'
import type { Alert, Recording, RuleGroup } from './rule.ts'

/** In the order in which they are evaluated: alerts stand on recordings. */
export const ruleGroups: readonly RuleGroup[] = [
  recordings,
  brokerAlerts,
  storageAlerts,
  replicationAlerts,
  operatorAlerts,
]

/** Where the pages lie. The chart puts the address in front of it at which its user has them. */
export const runbooks = 'docs/runbooks'

/** A rule as Prometheus reads it. */
function ruleOf(rule: Alert | Recording): object {
  if ('record' in rule) return rule
  const { alert, expr, for: duration, severity, summary, description } = rule
  return {
    alert,
    expr,
    for: duration,
    labels: { severity },
    annotations: { summary, description, runbook_url: `${runbooks}/${alert}.md` },
  }
}

/** Each group as a file of rules, as Prometheus and the spec of a PrometheusRule have it. */
export const ruleFiles = ruleGroups.map(({ name, rules }) => ({
  path: `charts/logcluster/files/rules/${name}.yaml`,
  content: () =>
    '# Written by `node tools/generate-docs.ts` from tools/rules: change it there.\n' +
    stringify({ groups: [{ name, rules: rules.map(ruleOf) }] }, { lineWidth: 0 }),
}))

/** docs/runbooks/README.md, whole. */
export function runbooksDocument(): string {
  return [
    '# Alerts, dashboards, metrics',
    '',
    '<!-- Written by `node tools/generate-docs.ts` from tools/rules: change it there. -->',
    '',
    'The chart brings rules and dashboards (`prometheusRule.enabled`, `dashboards.enabled`). Whoever runs without it takes the',
    'files as they are: [rules](../../charts/logcluster/files/rules), [dashboards](../../charts/logcluster/files/dashboards).',
    'All of them are tried on a real Prometheus that scrapes a real broker and operator; no test looks at a dashboard as a',
    'person does.',
    '',
    'Metrics of brokers carry no name of a cluster: Prometheus adds the label `logcluster` to its targets. With',
    '`spec.metrics.monitor.type: PodMonitor` the operator sees to that. Jobs that find targets by annotations map the labels of',
    'Services and pods, of which `logcluster` is one. Elsewhere the label is given with the target:',
    '',
    '```yaml',
    'scrape_configs:',
    '  - job_name: logcluster',
    '    static_configs:',
    "      - targets: ['127.0.0.1:9404']",
    '        labels: {logcluster: orders}',
    '```',
    '',
    '| alert | severity | says |',
    '|---|---|---|',
    ...ruleGroups
      .flatMap(({ rules }) => rules.flatMap(rule => ('alert' in rule ? [rule] : [])))
      .map(({ alert, severity, summary }) => {
        const text = summary.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, '*$1*')
        return `| [${alert}](${alert}.md) | ${severity} | ${text} |`
      }),
    '',
    'Recorded: ' +
      recordings.rules
        .flatMap(rule => ('record' in rule ? [`\`${rule.record}\``] : []))
        .join(', ') +
      '.',
    '',
  ].join('\n')
}
