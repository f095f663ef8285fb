import type { Panel, RowPanel } from '@grafana/grafana-foundation-sdk/dashboard'
import { dashboardOf } from '../../tools/dashboards/build.ts'
import type { Board } from '../../tools/dashboards/panel.ts'

/** A query of a panel, as it is asked. */
export interface Query {
  /** Dashboard, panel and the letter of the query. */
  readonly of: string
  readonly expr: string
}

/** `expr` as Grafana asks it while all of each variable is chosen. What happens once is to be seen until the end. */
export function asked(expr: string): string {
  return expr
    .replaceAll('$__rate_interval', '5m')
    .replaceAll('$__range', '5m')
    .replaceAll(/\$(?:job|instance)\b/g, '.+')
    .replaceAll(/\$\w+/g, '.*')
}

/** Every query of every panel of `board`. */
export function queriesOf(board: Board): Query[] {
  return (dashboardOf(board).panels ?? [])
    .filter((panel: Panel | RowPanel): panel is Panel => panel.type !== 'row')
    .flatMap(({ title, targets }) =>
      ((targets ?? []) as unknown as { readonly refId: string; readonly expr: string }[]).map(
        ({ refId, expr }) => ({ of: `${board.title}: ${title} ${refId}`, expr: asked(expr) }),
      ),
    )
}
