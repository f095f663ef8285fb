import { ensureKit } from '../../tools/clients.ts'
import { judge, runVitest } from '../../tools/vitest-run.ts'
import { builtProgram, builtPrograms } from './programs/built.ts'
import { helmProgram, kubectlProgram } from './programs/fetched.ts'

/**
 * `npm run test:k8s`: builds and fetches what is not in the cache yet, then the scenarios on a real Kubernetes;
 * the last lines are what was skipped, why, and the total. Arguments go to vitest: `npm run test:k8s -- --project fast`.
 * Exits 1 where a test failed, where none ran, and in CI where one was skipped.
 */
async function main(args: readonly string[]): Promise<number> {
  for (const name of builtPrograms) builtProgram(name)
  for (const fetch of [kubectlProgram, () => helmProgram(4), () => helmProgram(3)]) fetch()
  ensureKit('promtool')
  const runs = await Promise.all(partsOf(args).map(part => runVitest([...config, ...part])))
  const count = {
    passed: sum(runs.map(run => run.count.passed)),
    failed: sum(runs.map(run => run.count.failed)),
    skipped: runs.flatMap(run => run.count.skipped),
  }
  return judge(count, sum(runs.map(run => run.status)), process.env['CI'] === 'true')
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
