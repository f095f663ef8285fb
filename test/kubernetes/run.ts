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
  const { count, status } = await runVitest([
    '--config',
    'test/kubernetes/vitest.config.ts',
    ...args,
  ])
  return judge(count, status, process.env['CI'] === 'true')
}

process.exitCode = await main(process.argv.slice(2))
