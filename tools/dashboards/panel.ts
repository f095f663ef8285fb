/** A query of a panel. */
export interface Query {
  /** PromQL. Variables of the dashboard and `$__rate_interval` may stand in it. */
  readonly expr: string
  /** What a series is called, such as `{{topic}}`. */
  readonly legend: string
}

/** One panel, as its author thinks of it; where it lies is computed. */
export interface Panel {
  readonly title: string
  /** A sentence or two: what it shows, and what to make of it. */
  readonly text: string
  /** Of Grafana: `Bps`, `s`, `percentunit`, `short` ... */
  readonly unit: string
  readonly queries: readonly Query[]
  /** `series` where it is not given. */
  readonly kind?: 'series' | 'stat' | 'table'
  /** Columns of 24; 12 for series, 4 for a stat, 24 for a table where it is not given. */
  readonly width?: number
  /** Whether series are put on one another, so that their height is the sum. */
  readonly isStacked?: boolean
  /** A stat is red from here on. */
  readonly redFrom?: number
}

/** Panels under one title. */
export interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
}

/** A variable beside those that every dashboard has. */
export interface Choice {
  readonly name: string
  readonly label: string
  /** `label_values(METRIC{...}, LABEL)`. */
  readonly query: string
}

export interface Board {
  /** Stable: links and bookmarks stand on it. */
  readonly uid: string
  readonly title: string
  readonly text: string
  /** What `job` is chosen from: a metric that each target has. */
  readonly target: string
  readonly choices: readonly Choice[]
  readonly rows: readonly Row[]
}

/** Selects the brokers that the dashboard's variables name. */
export const broker =
  'job=~"$job", namespace=~"$namespace", logcluster=~"$logcluster", instance=~"$instance"'

/** Selects the operators that the dashboard's variables name. */
export const operator = 'job=~"$job", namespace=~"$namespace", instance=~"$instance"'

export const topicChoice: Choice = {
  name: 'topic',
  label: 'Topic',
  query: `label_values(logcluster_log_end_offset{${broker}}, topic)`,
}

export const groupChoice: Choice = {
  name: 'group',
  label: 'Group',
  query: `label_values(logcluster_consumer_group_members{${broker}}, group)`,
}

/** A panel with one query. */
export function panel(facts: Omit<Panel, 'queries'> & Query): Panel {
  const { expr, legend, ...rest } = facts
  return { ...rest, queries: [{ expr, legend }] }
}

/** What `metric` grew by a second, in sum by `labels`. */
export function rateBy(labels: string, metric: string, selector = broker): string {
  const by = labels === '' ? '' : ` by (${labels})`
  return `sum${by} (rate(${metric}{${selector}}[$__rate_interval]))`
}

/** The value that a share `q` of a histogram's observations is below, by `labels`. */
export function quantileBy(
  q: number,
  labels: string,
  histogram: string,
  selector = broker,
): string {
  const by = ['le', labels].filter(label => label !== '').join(', ')
  return `histogram_quantile(${q}, sum by (${by}) (rate(${histogram}_bucket{${selector}}[$__rate_interval])))`
}

const rateOf = (part: 'hit' | 'sent', selector: string): string =>
  `rate(logcluster_page_cache_${part}_bytes_total{${selector}}[$__rate_interval])`

/** What was sent and can be measured, a second: where it cannot there is no hit beside what was sent. */
function measuredBy(labels: string, selector: string): string {
  const by = labels === '' ? '' : ` by (${labels})`
  return `sum${by} (${rateOf('sent', selector)} and ${rateOf('hit', selector)})`
}

/** The part of what was sent that memory had, by `labels`, of what can be measured. */
export function hitRatioBy(labels: string, selector = broker): string {
  const hit = rateBy(labels, 'logcluster_page_cache_hit_bytes_total', selector)
  return `${hit} / (${measuredBy(labels, selector)} > 0)`
}

/** What was sent and a device had to deliver, a second, of what can be measured. */
export function missedBy(labels: string, selector = broker): string {
  const hit = rateBy(labels, 'logcluster_page_cache_hit_bytes_total', selector)
  return `${measuredBy(labels, selector)} - ${hit}`
}
