import { Metrics } from '../src/broker/telemetry/metrics.ts'

interface Told {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly labelNames?: readonly string[]
}

/** docs/metrics.md, whole: every metric that a broker has, as it registers it. */
export function metricsDocument(): string {
  const metrics = new Metrics().registry.getMetricsAsArray() as unknown as readonly Told[]
  const rows = metrics.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const ours = rows.filter(({ name }) => name.startsWith('logcluster_'))
  const others = rows.filter(({ name }) => !name.startsWith('logcluster_'))
  return [
    '# Metrics of a broker',
    '',
    '<!-- Written by `node tools/generate-docs.ts` from src/broker/telemetry: change it there. -->',
    '',
    'At `/metrics` of `http.address`. Names and labels are stable: dashboards and alerts stand on them. A histogram has `_bucket`,',
    '`_sum` and `_count`. What cannot be measured is absent, and never 0.',
    '',
    'In a cluster each broker tells what it does and has. What is a fact of the cluster as a whole, or of a consumer group, one broker',
    'tells: the active controller, the leader of a partition, or the coordinator of a group, as the text says. So sums over all brokers count nothing',
    'twice. [Alerts and dashboards](runbooks/README.md) are made of these.',
    '',
    ...table(ours),
    '',
    '## By the names of others',
    '',
    'The names, labels and values of [kafka_exporter](https://github.com/danielqsj/kafka_exporter), and those that every process',
    'has for Prometheus.',
    '',
    ...table(others),
    '',
  ].join('\n')
}

function table(rows: readonly Told[]): string[] {
  return [
    '| metric | type | labels | |',
    '|---|---|---|---|',
    ...rows.map(({ name, type, labelNames = [], help }) => {
      const labels = labelNames.map(label => `\`${label}\``).join(', ')
      return `| \`${name}\` | ${type} | ${labels} | ${help.replaceAll('|', '\\|')} |`
    }),
  ]
}
