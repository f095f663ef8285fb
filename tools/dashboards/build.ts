import {
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
  VariableSort,
  type Dashboard,
} from '@grafana/grafana-foundation-sdk/dashboard'
import {
  StackingConfigBuilder,
  StackingMode,
  VizLegendOptionsBuilder,
  LegendDisplayMode,
  LegendPlacement,
  type DataSourceRef,
} from '@grafana/grafana-foundation-sdk/common'
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table'
import { PanelBuilder as SeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'
import type { Board, Choice, Panel, Query } from './panel.ts'

const source: DataSourceRef = { type: 'prometheus', uid: '${datasource}' }

/** `board` as Grafana imports it. */
export function dashboardOf(board: Board): Dashboard {
  const builder = new DashboardBuilder(board.title)
    .uid(board.uid)
    .description(board.text)
    .tags(['logcluster'])
    .readonly()
    .refresh('30s')
    .time({ from: 'now-1h', to: 'now' })
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(
      new DatasourceVariableBuilder('datasource').label('Data Source').type('prometheus'),
    )
  for (const choice of [...commonChoices(board), ...board.choices]) {
    builder.withVariable(variableOf(choice))
  }
  let y = 0
  for (const row of board.rows) {
    builder.withRow(new RowBuilder(row.title).gridPos({ x: 0, y, w: 24, h: 1 }))
    y = addPanels(builder, row.panels, y + 1)
  }
  return builder.build()
}

/** From the widest to the narrowest; each is chosen within what stands before it. */
function commonChoices({ target }: Board): Choice[] {
  const isBroker = !target.startsWith('logcluster_operator_')
  const job = 'job=~"$job"'
  const namespace = `${job}, namespace=~"$namespace"`
  const cluster = `${namespace}, logcluster=~"$logcluster"`
  return [
    { name: 'job', label: 'Job', query: `label_values(${target}, job)` },
    { name: 'namespace', label: 'Namespace', query: `label_values(${target}{${job}}, namespace)` },
    ...(isBroker
      ? [
          {
            name: 'logcluster',
            label: 'LogCluster',
            query: `label_values(${target}{${namespace}}, logcluster)`,
          },
        ]
      : []),
    {
      name: 'instance',
      label: 'Instance',
      query: `label_values(${target}{${isBroker ? cluster : namespace}}, instance)`,
    },
  ]
}

/** What Prometheus gives to every target is there; a namespace, a cluster, a topic or a group need not be. */
const always = new Set(['job', 'instance'])

function variableOf({ name, label, query }: Choice): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(source)
    .query({ query, refId: name })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue(always.has(name) ? '.+' : '.*')
    .current({ selected: true, text: ['All'], value: ['$__all'] })
}

const sizes = {
  series: { width: 12, height: 8 },
  stat: { width: 4, height: 4 },
  table: { width: 24, height: 8 },
}

/** Puts panels from left to right and then below one another, from `top`; returns where what follows begins. */
function addPanels(builder: DashboardBuilder, panels: readonly Panel[], top: number): number {
  let x = 0
  let y = top
  let bottom = top
  for (const panel of panels) {
    const { width, height } = sizes[panel.kind ?? 'series']
    const w = panel.width ?? width
    if (x + w > 24) {
      x = 0
      y = bottom
    }
    builder.withPanel(panelOf(panel).gridPos({ x, y, w, h: height }))
    x += w
    bottom = Math.max(bottom, y + height)
  }
  return bottom
}

function panelOf(panel: Panel): SeriesBuilder | StatBuilder | TableBuilder {
  const builder = bareOf(panel)
    .title(panel.title)
    .description(panel.text)
    .datasource(source)
    .unit(panel.unit)
  for (const [at, query] of panel.queries.entries()) {
    builder.withTarget(targetOf(query, String.fromCodePoint(65 + at), panel.kind))
  }
  return builder
}

function bareOf({
  kind = 'series',
  isStacked,
  redFrom,
}: Panel): SeriesBuilder | StatBuilder | TableBuilder {
  if (kind === 'table') return new TableBuilder()
  if (kind === 'stat') {
    const steps = [{ value: null, color: 'green' }]
    const red = redFrom === undefined ? [] : [{ value: redFrom, color: 'red' }]
    return new StatBuilder().thresholds(
      new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([...steps, ...red]),
    )
  }
  const series = new SeriesBuilder()
    .fillOpacity(isStacked ? 30 : 5)
    .axisSoftMin(0)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(['lastNotNull', 'max']),
    )
  return isStacked
    ? series.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'))
    : series
}

function targetOf({ expr, legend }: Query, refId: string, kind: Panel['kind']): DataqueryBuilder {
  const target = new DataqueryBuilder().expr(expr).legendFormat(legend).refId(refId)
  if (kind === 'table') return target.instant().format(PromQueryFormat.Table)
  return kind === 'stat' ? target.instant() : target.range()
}
