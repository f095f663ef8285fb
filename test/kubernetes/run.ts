import { ensureKit } from '../../tools/clients.ts'
import { judge, runVitest, type VitestRun } from '../../tools/vitest-run.ts'
import { run } from '../helpers/run.ts'
import { wrongRights } from './operator-rights.ts'
import { OperatorUse } from './operator-use.ts'
import { permitted } from './permissions.ts'
import { builtProgram, builtPrograms } from './programs/built.ts'
import { helmProgram, kubectlProgram } from './programs/fetched.ts'

/**
 * `npm run test:k8s`: builds and fetches what is not in the cache yet, then the scenarios on a real Kubernetes;
 * the last lines are what was skipped, why, and the total. Arguments go to vitest: `npm run test:k8s -- --project fast`.
 * Exits 1 where a test failed, where none ran, and in CI where one was skipped. A whole run ends with what the operators
 * of all scenarios asked of their API servers, which has to be what the chart permits them.
 */
async function main(args: readonly string[]): Promise<number> {
  for (const name of builtPrograms) builtProgram(name)
  for (const fetch of [kubectlProgram, () => helmProgram(4), () => helmProgram(3)]) fetch()
  ensureKit('promtool')
  using use = OperatorUse.collect()
  const runs = await Promise.all(partsOf(args).map(runPart))
  const count = {
    passed: sum(runs.map(each => each.count.passed)),
    failed: sum(runs.map(each => each.count.failed)),
    skipped: runs.flatMap(each => each.count.skipped),
  }
  // Where scenarios were left out or broke off, what they need is not seen.
  const isWhole = args.length === 0 && count.skipped.length === 0 && count.failed === 0
  const wrong = isWhole ? wrongRights(await rightsOfChart(), use) : []
  for (const sentence of wrong) console.log(sentence)
  const judged = wrong.length === 0 ? count : { ...count, failed: count.failed + 1 }
  return judge(judged, sum(runs.map(({ status }) => status)), process.env['CI'] === 'true')
}

/** Two parts speak in turns: what one said last is said again where it failed by something that is no test. */
async function runPart(part: readonly string[]): Promise<VitestRun> {
  let last = ''
  const ran = await runVitest([...config, ...part], said => (last = (last + said).slice(-8000)))
  const isUntold = ran.count.failed === 0 && (ran.status !== 0 || ran.count.passed === 0)
  if (!isUntold) return ran
  console.log(
    `\n=== ${part.join(' ')} failed outside of its tests (status ${ran.status}):\n${last}`,
  )
  return { ...ran, count: { ...ran.count, failed: 1 } }
}

async function rightsOfChart(): Promise<ReadonlySet<string>> {
  const namespace = 'logcluster-system'
  const asked = ['template', 'logcluster', 'charts/logcluster', '--namespace', namespace]
  const { stdout } = await run(helmProgram(4), asked)
  return permitted(stdout, { name: 'logcluster', namespace })
}

const config = ['--config', 'test/kubernetes/vitest.config.ts']

/** The whole as its two projects at a time: each has a cluster of its own, and waits for it most of the time. */
function partsOf(args: readonly string[]): (readonly string[])[] {
  if (args.length > 0) return [args]
  return ['fast', 'nodes'].map(project => ['--project', project])
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

process.exitCode = await main(process.argv.slice(2))
