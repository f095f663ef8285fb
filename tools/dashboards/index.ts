import { brokerBoard } from './broker.ts'
import { dashboardOf } from './build.ts'
import { clusterBoard } from './cluster.ts'
import { consumersBoard } from './consumers.ts'
import { operatorBoard } from './operator.ts'
import { pageCacheBoard } from './page-cache.ts'
import type { Board } from './panel.ts'

export const boards: readonly Board[] = [
  clusterBoard,
  brokerBoard,
  pageCacheBoard,
  consumersBoard,
  operatorBoard,
]

/** Each dashboard as the chart has it. */
export const dashboardFiles = boards.map(board => ({
  path: `charts/logcluster/files/dashboards/${board.uid}.json`,
  content: () => `${JSON.stringify(dashboardOf(board), null, 2)}\n`,
}))
