import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dashboardOf } from '../../tools/dashboards/build.ts'
import { boards } from '../../tools/dashboards/index.ts'
import { selectorsIn } from '../../tools/promql.ts'
import { ruleFiles, ruleGroups } from '../../tools/rules/index.ts'
import { describeNeeding } from '../data-path/needs.ts'
import { describeWith } from '../helpers/clients.ts'
import { eventually } from '../helpers/eventually.ts'
import { Prometheus } from '../helpers/prometheus.ts'
import { suiteBroker } from '../helpers/suite-broker.ts'
import { freePort } from '../kubernetes/control-plane/ports.ts'
import { BusyBroker, busySettings } from './busy-broker.ts'
import { BusyCluster } from './busy-cluster.ts'
import { BusyOperator } from './busy-operator.ts'
import { asked, queriesOf, type Query } from './queries.ts'
import { silent } from './silent.ts'

const root = join(import.meta.dirname, '../..')
const door = {
  port: await freePort('127.0.0.1'),
  credentials: mkdtempSync(join(tmpdir(), 'logcluster-credentials-')),
}
for (const user of ['operator', 'broker'])
  writeFileSync(join(door.credentials, user), 'open sesame')

const patienceMs = 150_000

const queries: Query[] = boards.flatMap(queriesOf)

describeNeeding(['device'], 'the dashboards and rules', () => {
  describeWith('promtool', 'on a Prometheus that scrapes what they are about', () => {
    const broker = suiteBroker({ settings: busySettings(door) })
    let busyBroker: BusyBroker
    let busyCluster: BusyCluster
    let busyOperator: BusyOperator
    let prometheus: Prometheus

    beforeAll(async () => {
      busyOperator = await BusyOperator.start()
      busyCluster = await BusyCluster.start()
      const labels = { namespace: 'streaming', logcluster: 'orders' }
      prometheus = await Prometheus.start(
        [
          { job: 'streaming/orders', address: broker().http, labels },
          ...busyCluster.addresses.map(address => ({
            job: 'streaming/payments',
            address,
            labels: { namespace: 'streaming', logcluster: 'payments' },
          })),
          { job: 'operator', address: busyOperator.address, labels: { namespace: 'system' } },
        ],
        ruleFiles.map(({ path }) => `${root}/${path}`),
      )
      const losing = busyCluster.loseOne()
      busyBroker = await BusyBroker.start(broker(), door)
      await losing
    })

    afterAll(async () => {
      await busyBroker?.[Symbol.asyncDispose]()
      await prometheus?.[Symbol.asyncDispose]()
      await busyOperator?.[Symbol.asyncDispose]()
      await busyCluster?.[Symbol.asyncDispose]()
      rmSync(door.credentials, { recursive: true })
    })

    test(
      'every query of every panel finds something, and what it is about',
      { timeout: 200_000 },
      async () => {
        let left = queries
        const show = async (): Promise<Query[]> => {
          busyOperator.work()
          await busyCluster.work()
          await busyBroker.work()
          const found = await Promise.all(left.map(({ expr }) => prometheus.query(expr)))
          left = left.filter(({ of }, at) => {
            const values = found[at]!.map(({ value }) => value).filter(
              value => !Number.isNaN(value),
            )
            return silent.has(of) ? values.length === 0 : !values.some(value => value !== 0)
          })
          return left
        }
        await eventually(
          'every query has found something',
          show,
          ({ length }) => length === 0,
          patienceMs,
        )
      },
    )

    test('what may show nothing but 0 does stand on a dashboard', () => {
      const known = new Set(queries.map(({ of }) => of))
      expect([...silent.keys()].filter(of => !known.has(of))).toEqual([])
    })

    test('every variable has something to choose', async () => {
      for (const board of boards) {
        for (const { name, type, query } of dashboardOf(board).templating?.list ?? []) {
          if (type !== 'query') continue
          const { query: text } = query as { readonly query: string }
          const [, selector, label] = /^label_values\((.*), (\w+)\)$/.exec(text)!
          const choices = async (): Promise<string[]> =>
            (await prometheus.series(asked(selector!))).flatMap(labels => labels[label!] ?? [])
          await eventually(`${board.title}: $${name}`, choices, ({ length }) => length > 0)
        }
      }
    })

    test('every rule is about metrics that are there, and what is recorded can be asked for', async () => {
      const metrics = ruleGroups.flatMap(({ rules }) =>
        rules.flatMap(({ expr }) => selectorsIn(expr).map(({ metric }) => metric)),
      )
      const recorded = ruleGroups.flatMap(({ rules }) =>
        rules.flatMap(rule => ('record' in rule ? [rule.record] : [])),
      )
      for (const metric of new Set([...metrics, ...recorded])) {
        await eventually(
          `${metric} is there`,
          () => prometheus.query(metric),
          ({ length }) => length > 0,
        )
      }
    })
  })
})
