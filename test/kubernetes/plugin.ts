import { join } from 'node:path'
import { run, type RunOptions, type RunResult } from '../helpers/run.ts'
import type { ApiAccess } from './control-plane/access.ts'
import { kubectlProgram } from './programs/fetched.ts'

const main = join(import.meta.dirname, '../../src/cli/kubectl/main.ts')

/** `kubectl logcluster`, as an administrator runs it in a namespace. */
export function runPlugin(
  { kubeconfig }: Pick<ApiAccess, 'kubeconfig'>,
  namespace: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const all = [main, ...args, '-n', namespace, '--kubeconfig', kubeconfig]
  return run(process.execPath, all, { ...options, env: { KUBECTL: kubectlProgram() } })
}
