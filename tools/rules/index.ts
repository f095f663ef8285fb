import { stringify } from 'yaml'
import { brokerAlerts, storageAlerts } from './broker-alerts.ts'
import { operatorAlerts } from './operator-alerts.ts'
import { recordings } from './recordings.ts'
import type { Alert, Recording, RuleGroup } from './rule.ts'

/** In the order in which they are evaluated: alerts stand on recordings. */
export const ruleGroups: readonly RuleGroup[] = [
  recordings,
  brokerAlerts,
  storageAlerts,
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
