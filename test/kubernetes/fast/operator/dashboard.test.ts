import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'vitest'
import { operatorBoard } from '../../../../tools/dashboards/operator.ts'
import { queriesOf } from '../../../dashboards/queries.ts'
import { describeWith } from '../../../helpers/clients.ts'
import { eventually } from '../../../helpers/eventually.ts'
import { Prometheus } from '../../../helpers/prometheus.ts'
import { startControlPlane } from '../../cluster.ts'
import { freePort } from '../../control-plane/ports.ts'
import { installCrds } from '../../crds.ts'

const root = join(import.meta.dirname, '../../../..')

/** Panels that show 0 while nothing is wrong and nothing waits. */
const silent = [
  'Failing',
  'Needs a person',
  'Being changed',
  'Errors',
  'Longest running',
  'Depth',
  'Added and tried again B',
  'Workers',
  'Watches that failed',
  'Events that were not written',
]

describeWith('promtool', "the operator's dashboard", () => {
  test('shows a real operator', { timeout: 240_000 }, async () => {
    await using plane = await startControlPlane()
    await installCrds(plane)
    const address = `127.0.0.1:${await freePort('127.0.0.1')}`
    const args = [`--kubeconfig=${plane.kubeconfig}`, `--http-address=${address}`]
    const operator = spawn(process.execPath, [join(root, 'src/operator/main.ts'), ...args], {
      stdio: 'ignore',
    })
    try {
      await using prometheus = await Prometheus.start([{ job: 'operator', address }], [])
      await plane.kubectl(['apply', '-f', `${root}/examples/minimal.yaml`])
      await plane.kubectl(['apply', '-f', `${root}/examples/topic.yaml`])
      let left = queriesOf(operatorBoard)
      let serial = 0
      await eventually(
        'every query finds something',
        async () => {
          // What is changed is looked at again.
          await plane.kubectl(['annotate', '--overwrite', 'lc', 'orders', `touched=${serial++}`])
          const found = await Promise.all(left.map(({ expr }) => prometheus.query(expr)))
          left = left.filter(({ of }, at) => {
            const values = found[at]!.map(({ value }) => value).filter(
              value => !Number.isNaN(value),
            )
            const isSilent = silent.some(title => of.includes(`: ${title}`))
            return isSilent ? values.length === 0 : !values.some(value => value !== 0)
          })
          return left
        },
        ({ length }) => length === 0,
        120_000,
      )
    } finally {
      operator.kill('SIGKILL')
      await once(operator, 'exit')
    }
  })
})
