import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { describeWith, promtool } from '../../test/helpers/clients.ts'
import { selectorsIn, syntaxErrorsIn } from '../promql.ts'
import { brokerCases, type Case, operatorCases, storageCases } from './cases.ts'
import { replicationCases } from './replication-cases.ts'
import { ruleFiles, ruleGroups, runbooks } from './index.ts'
import type { Alert, Recording } from './rule.ts'

const root = join(import.meta.dirname, '../..')
const rules = ruleGroups.flatMap(group => [...group.rules])
const alerts = rules.filter((rule): rule is Alert => 'alert' in rule)
const recordings = rules.filter((rule): rule is Recording => 'record' in rule)
const cases = [...brokerCases, ...storageCases, ...replicationCases, ...operatorCases]

test('each alert is tried, and has a page that says what to do', () => {
  const names = alerts.map(({ alert }) => alert)
  expect([...new Set(cases.map(({ alert }) => alert))]).toEqual(names)
  expect(new Set(names).size).toBe(names.length)
  const pages = names.map(name => `${runbooks}/${name}.md`)
  expect(pages.filter(page => !existsSync(`${root}/${page}`))).toEqual([])
  for (const [at, page] of pages.entries()) {
    const text = readFileSync(`${root}/${page}`, 'utf8')
    expect(text, page).toMatch(new RegExp(`^# ${names[at]}\n`))
    for (const part of ['What it means', 'What it costs', 'What to do']) {
      expect(text, page).toContain(`\n## ${part}\n`)
    }
  }
})

test('every expression is PromQL, and what alerts record is recorded', () => {
  const recorded = new Set(recordings.map(({ record }) => record))
  for (const { expr } of rules) {
    expect(syntaxErrorsIn(expr)).toEqual([])
    const missing = selectorsIn(expr).filter(
      ({ metric }) => metric.includes(':') && !recorded.has(metric),
    )
    expect(missing).toEqual([])
  }
  expect([...recorded].filter(name => !/^\w+:\w+:\w+$/.test(name))).toEqual([])
})

test('names, sentences and times keep the rules', () => {
  for (const { alert, for: duration, summary, description } of alerts) {
    expect(alert).toMatch(/^LogCluster[A-Z]\w+$/)
    expect(duration).toMatch(/^\d+[mh]$/)
    expect(summary, alert).toMatch(/\.$/)
    expect(description, alert).toMatch(/\.$/)
  }
})

/** `template` as Prometheus renders it for `tried`. */
function rendered(template: string, tried: Case): string {
  return template
    .replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => tried.labels[label] ?? '')
    .replaceAll(/\{\{ \$value[^}]*\}\}/g, tried.value ?? 'no value is given')
}

function promtoolTest(
  tried: Case,
  input: Readonly<Record<string, string>>,
  isFiring: boolean,
): object {
  const { alert, summary, description, severity } = alerts.find(each => each.alert === tried.alert)!
  const expected = {
    exp_labels: { ...tried.labels, severity },
    exp_annotations: {
      summary: rendered(summary, tried),
      description: rendered(description, tried),
      runbook_url: `${runbooks}/${alert}.md`,
    },
  }
  return {
    name: `${alert} ${isFiring ? 'fires' : 'is quiet'}`,
    interval: '1m',
    input_series: Object.entries(input).map(([series, values]) => ({ series, values })),
    alert_rule_test: [
      { eval_time: tried.at, alertname: alert, exp_alerts: isFiring ? [expected] : [] },
    ],
  }
}

describeWith('promtool', 'the alerts, as promtool sees them', () => {
  test.for(cases.map(tried => [tried.alert, tried] as const))(
    '%s fires when it should, and not else',
    async ([, tried]) => {
      const folder = mkdtempSync(join(tmpdir(), 'logcluster-rules-'))
      try {
        const file = join(folder, 'test.yaml')
        const document = {
          rule_files: ruleFiles.map(({ path }) => `${root}/${path}`),
          evaluation_interval: '1m',
          tests: [promtoolTest(tried, tried.fires, true), promtoolTest(tried, tried.quiet, false)],
        }
        writeFileSync(file, stringify(document))
        await promtool(['test', 'rules', file])
      } finally {
        rmSync(folder, { recursive: true })
      }
    },
  )

  test('promtool finds nothing wrong with the files', async () => {
    await promtool(['check', 'rules', ...ruleFiles.map(({ path }) => `${root}/${path}`)])
  })
})
