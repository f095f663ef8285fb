import { httpPort } from '../../operator/crd/ports.ts'

/** The user's own kubectl, with the user's own kubeconfig, credentials and context: the plugin's way to the API server. */
export interface Kubectl {
  /**
   * What kubectl prints for `args`; `input` is its standard input.
   * @throws KubectlError where it ends with another code than 0
   */
  run(args: readonly string[], input?: string): Promise<string>
}

/** What kubectl said instead of doing as it was asked. */
export class KubectlError extends Error {
  override readonly name = 'KubectlError'
}

/** As much of any object as everybody looks at. */
export interface KubernetesObject {
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly creationTimestamp?: string
  }
}

/** The objects of a kind that are asked for, in one namespace or wherever `scope` says. */
export async function list<Object extends KubernetesObject>(
  kubectl: Kubectl,
  kind: string,
  scope: readonly string[],
): Promise<Object[]> {
  const text = await kubectl.run(['get', kind, ...scope, '-o', 'json'])
  return (JSON.parse(text) as { items: Object[] }).items
}

/** One object by its name. */
export async function get<Object extends KubernetesObject>(
  kubectl: Kubectl,
  kind: string,
  name: string,
  scope: readonly string[],
): Promise<Object> {
  return JSON.parse(await kubectl.run(['get', kind, name, ...scope, '-o', 'json'])) as Object
}

/** Changes what `change` has, and nothing else. */
export async function patch(
  kubectl: Kubectl,
  { kind, name, scope }: { kind: string; name: string; scope: readonly string[] },
  change: object,
): Promise<void> {
  const args = ['patch', kind, name, ...scope, '--type=merge', '--patch', JSON.stringify(change)]
  await kubectl.run(args)
}

/** What a broker's HTTP answers to GET `path`, asked through the API server: no port needs to be open for that. One that stands still is given 10 s. */
export function askPod(
  kubectl: Kubectl,
  { namespace, pod, path }: { namespace: string; pod: string; path: string },
): Promise<string> {
  const proxy = `/api/v1/namespaces/${namespace}/pods/${pod}:${httpPort}/proxy${path}`
  return kubectl.run(['get', '--raw', proxy, '--request-timeout=10s'])
}
