import type {
  Dashboard,
  Panel,
  RowPanel,
  VariableModel,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { expect, test } from 'vitest'
import { selectorsIn, syntaxErrorsIn } from '../promql.ts'
import { dashboardOf } from './build.ts'
import { boards } from './index.ts'

interface Target {
  readonly refId: string
  readonly expr: string
  readonly legendFormat: string
}

const isPanel = (panel: Panel | RowPanel): panel is Panel => panel.type !== 'row'
const targetsOf = (panel: Panel): Target[] => (panel.targets ?? []) as unknown as Target[]

/** One sentence for each rule of Grafana's dashboard-linter that `dashboard` breaks, and some of ours. */
function complaints(dashboard: Dashboard): string[] {
  const panels = (dashboard.panels ?? []).filter(isPanel)
  const titles = panels.map(({ title }) => title)
  return [
    ...(dashboard.editable === false ? [] : ['the dashboard is editable']),
    ...(dashboard.uid ? [] : ['the dashboard has no uid']),
    ...titles.filter((title, at) => titles.indexOf(title) !== at).map(title => `two are ${title}`),
    ...(dashboard.templating?.list ?? []).flatMap(complaintsOfVariable),
    ...panels.flatMap(complaintsOfPanel),
    ...overlaps(dashboard.panels ?? []),
  ]
}

function complaintsOfVariable(variable: VariableModel): string[] {
  const { name, label, type, refresh, multi, allValue, includeAll } = variable
  if (type === 'datasource') {
    const isRight = name === 'datasource' && label === 'Data Source'
    return isRight ? [] : [`$${name} is not the Data Source`]
  }
  const wanted = name === 'job' || name === 'instance' ? '.+' : '.*'
  return [
    ...(refresh === 2 ? [] : [`$${name} is not refreshed when the time changes`]),
    ...(multi && includeAll ? [] : [`of $${name} one cannot choose many`]),
    ...(allValue === wanted ? [] : [`all of $${name} is not ${wanted}`]),
  ]
}

function complaintsOfPanel(panel: Panel): string[] {
  const { title, description, datasource, fieldConfig } = panel
  const about = (sentence: string): string => `${title}: ${sentence}`
  return [
    ...(title ? [] : [about('no title')]),
    ...(description?.endsWith('.') ? [] : [about('no sentence')]),
    ...(fieldConfig?.defaults?.unit ? [] : [about('no unit')]),
    ...(datasource?.uid === '${datasource}' ? [] : [about('not of ${datasource}')]),
    ...(targetsOf(panel).length > 0 ? [] : [about('no query')]),
    ...targetsOf(panel).flatMap(target => complaintsOfQuery(target).map(about)),
  ]
}

const growing = /_(?:total|bucket)$/
/** What Grafana puts in: from sample to sample, or all that is looked at. */
const ranges = ['$__rate_interval', '$__range']
const rates = ['rate', 'irate', 'increase']

function complaintsOfQuery({ expr, legendFormat }: Target): string[] {
  const selectors = selectorsIn(expr)
  return [
    ...syntaxErrorsIn(expr).map(error => `no PromQL ${error}`),
    ...(selectors.length > 0 ? [] : ['a query of nothing']),
    ...(legendFormat ? [] : ['a query without a legend']),
    ...selectors.flatMap(({ metric, matchers, range, of }) => [
      ...['job=~"$job"', 'instance=~"$instance"']
        .filter(matcher => !matchers.includes(matcher))
        .map(matcher => `${metric} without ${matcher}`),
      ...(growing.test(metric) && !rates.includes(of ?? '') ? [`${metric} without a rate`] : []),
      ...(range === null || ranges.includes(range) ? [] : [`${metric} over ${range}`]),
    ]),
  ]
}

function overlaps(panels: readonly (Panel | RowPanel)[]): string[] {
  const placed = panels.map(({ title, gridPos }) => ({ title, ...gridPos! }))
  return placed.flatMap((one, at) => [
    ...(one.x + one.w <= 24 ? [] : [`${one.title} is too far to the right`]),
    ...placed
      .slice(at + 1)
      .filter(
        other =>
          one.x < other.x + other.w &&
          other.x < one.x + one.w &&
          one.y < other.y + other.h &&
          other.y < one.y + one.h,
      )
      .map(other => `${one.title} lies on ${other.title}`),
  ])
}

for (const board of boards) {
  test(`${board.title} keeps the rules`, () => {
    expect(complaints(dashboardOf(board))).toEqual([])
  })
}

test('uids and titles differ', () => {
  expect(new Set(boards.map(({ uid }) => uid)).size).toBe(boards.length)
  expect(new Set(boards.map(({ title }) => title)).size).toBe(boards.length)
})

test('what breaks a rule is found', () => {
  const [board] = boards
  const dashboard = dashboardOf(board!)
  const [first, second] = (dashboard.panels ?? []).filter(isPanel) as [Panel, Panel]
  dashboard.editable = true
  first.gridPos = second.gridPos!
  second.title = first.title!
  second.description = ''
  targetsOf(second)[0] = { refId: 'A', legendFormat: '', expr: 'sum(logcluster_requests_total{}' }
  dashboard.templating!.list![1]!.allValue = '.*'
  expect(complaints(dashboard)).toEqual([
    'the dashboard is editable',
    `two are ${first.title}`,
    'all of $job is not .+',
    `${first.title}: no sentence`,
    `${first.title}: no PromQL at 31: `,
    `${first.title}: a query without a legend`,
    `${first.title}: logcluster_requests_total without job=~"$job"`,
    `${first.title}: logcluster_requests_total without instance=~"$instance"`,
    `${first.title}: logcluster_requests_total without a rate`,
    `${first.title} lies on ${first.title}`,
  ])
})
