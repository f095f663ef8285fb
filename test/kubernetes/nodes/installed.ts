import { join } from 'node:path'
import { sharedAccess } from './shared.ts'

const root = join(import.meta.dirname, '../../..')
/** Its folder. */
export const chart = join(root, 'charts/logcluster')

/** Where the operator of the shared cluster runs. */
export const operatorNamespace = 'logcluster-system'

/** Installs the chart as users do, with the image that is on the nodes; resolves when the operator is ready. */
export async function installChart(): Promise<void> {
  const { plane } = sharedAccess()
  const where = ['--namespace', operatorNamespace, '--create-namespace']
  // CRDs outlive a release, and may be those of another one that a file before installed.
  await plane.helm(['upgrade', '--install', 'logcluster', chart, ...where, '--take-ownership'])
  const isReady = ['rollout', 'status', 'deployment/logcluster', '--timeout=60s']
  await plane.kubectl(['-n', operatorNamespace, ...isReady])
}

/** The path of one of the project's examples. */
export function example(name: string): string {
  return join(root, 'examples', name)
}
