import { join } from 'node:path'
import { eventually } from '../helpers/eventually.ts'
import type { ApiAccess } from './control-plane/access.ts'

const folder = join(import.meta.dirname, '../../charts/logcluster/files/crds')

/** Applies the chart's CRDs, and waits until they are served: kubectl's own wait ends where one has no condition yet. */
export async function installCrds(plane: Pick<ApiAccess, 'kubectl'>): Promise<void> {
  await plane.kubectl(['apply', '--server-side', '-f', folder])
  await eventually(
    'CRDs that are established',
    async () => {
      const { stdout } = await plane.kubectl(['get', '-f', folder, '-o', 'json'])
      return (JSON.parse(stdout) as { items: readonly Definition[] }).items
    },
    found => found.every(isEstablished),
  )
}

interface Definition {
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
  }
}

function isEstablished({ status }: Definition): boolean {
  return (
    status?.conditions?.some(each => each.type === 'Established' && each.status === 'True') ?? false
  )
}
