import { clearInterval, setInterval } from 'node:timers'
import type { ControlPlane } from '../../control-plane/control-plane.ts'
import { startControlPlane } from '../../cluster.ts'
import { apiClient, type ApiClient } from './api-client.ts'
import { serveBrokers } from './remote-brokers.ts'
import { buildDriver, type OperatorProcess, startDriver } from './scale-process.ts'
import { StubNodes } from './stub-nodes.ts'
import { installCrds } from '../../crds.ts'

/** Where an operator is measured as a process of its own: many clusters, whose pods stubs say to run and whose brokers are stubs. */
export interface ScaleWorld extends AsyncDisposable {
  readonly plane: ControlPlane
  readonly admin: ApiClient
  /** An operator that goes by this name at the API server. */
  startOperator(user: string): Promise<OperatorProcess>
}

export async function scaleWorld(namespaces: readonly string[]): Promise<ScaleWorld> {
  await using left = new AsyncDisposableStack()
  const plane = left.use(
    await startControlPlane({
      controllers: ['statefulset-controller'],
      // Pods need no account here: nobody runs them.
      apiServerArgs: ['--disable-admission-plugins=ServiceAccount'],
    }),
  )
  await installCrds(plane)
  for (const namespace of namespaces) await plane.kubectl(['create', 'namespace', namespace])
  const admin = left.use(apiClient(plane.kubeconfig))
  const driver = left.use(buildDriver())
  const nodes = new StubNodes(admin.api)
  await nodes.begin()
  const brokers = await serveBrokers(nodes.brokers)
  left.defer(() => void brokers.server.close())
  const kubelet = ticking(nodes)
  left.defer(() => clearInterval(kubelet))
  const all = left.move()
  return {
    plane,
    admin,
    startOperator(user) {
      const kubeconfig = plane.kubeconfigOf(`/O=system:masters/CN=${user}`)
      return startDriver(driver, [kubeconfig, brokers.url])
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

/** One tick at a time. */
function ticking(nodes: StubNodes): NodeJS.Timeout {
  let tick: Promise<void> | null = null
  return setInterval(() => {
    tick ??= nodes
      .tick()
      .catch(() => {})
      .finally(() => {
        tick = null
      })
  }, 200)
}
