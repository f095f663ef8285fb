import { askPod, get, KubectlError, type Kubectl, type KubernetesObject } from './kubectl.ts'
import { exportText } from './document.ts'
import { withoutSecrets } from './without-secrets.ts'

/** One file of a report, named relative to its folder. */
export interface ReportFile {
  readonly path: string
  readonly text: string
}

export interface ReportWish {
  /** The LogCluster. */
  readonly name: string
  readonly scope: readonly string[]
  /** Topics and committed offsets too, as a document (document.ts). Default: not. */
  readonly isExport?: boolean
}

/** What is asked for by the label of the cluster. No Secret is: nobody who reads a report may need one. */
const kinds = [
  'logbrokers',
  'statefulsets',
  'pods',
  'services',
  'persistentvolumeclaims',
  'poddisruptionbudgets',
  'serviceaccounts',
  'roles',
  'rolebindings',
]

/** Lines of a broker's log, of this run and of the one before. */
const logLinesMax = 5000

/** What a broker tells over its own HTTP. */
const brokerPaths = [
  ['/v1/status', 'status.json'],
  ['/metrics', 'metrics.txt'],
] as const

/**
 * The files of `kubectl logcluster report`: what whoever helps would ask for first, without Secrets and without values of
 * environment variables. What cannot be had is told in `errors.txt` and stops nothing else.
 * @throws KubectlError where there is no such LogCluster
 */
export async function reportFiles(kubectl: Kubectl, wish: ReportWish): Promise<ReportFile[]> {
  const cluster = await get<KubernetesObject>(kubectl, 'logcluster', wish.name, wish.scope)
  return new Report(kubectl, wish, cluster.metadata.namespace!).files(cluster)
}

class Report {
  readonly #kubectl: Kubectl
  readonly #cluster: string
  readonly #namespace: string
  readonly #errors: string[] = []

  readonly #isExport: boolean

  constructor(kubectl: Kubectl, { name, isExport = false }: ReportWish, namespace: string) {
    this.#kubectl = kubectl
    this.#cluster = name
    this.#isExport = isExport
    this.#namespace = namespace
  }

  async files(cluster: KubernetesObject): Promise<ReportFile[]> {
    const label = `logcluster.dev/cluster=${this.#cluster}`
    const inNamespace = [`--namespace=${this.#namespace}`]
    const lists = await Promise.all(
      kinds.map(kind => this.#listed(kind, [...inNamespace, `--selector=${label}`])),
    )
    const pods = lists[kinds.indexOf('pods')]!
    const listed = kinds.flatMap((kind, index) => listFile(kind, lists[index]!))
    const parts = await Promise.all([
      this.#topics(inNamespace),
      this.#configMaps([...inNamespace, `--selector=${label}`]),
      this.#volumes(lists[kinds.indexOf('persistentvolumeclaims')]!),
      this.#text('events.txt', [
        'get',
        'events.events.k8s.io',
        ...inNamespace,
        '--sort-by=.metadata.creationTimestamp',
      ]),
      this.#text('versions.txt', ['version']),
      ...pods.map(pod => this.#broker(pod.metadata.name)),
      this.#isExport ? this.#exported() : [],
    ])
    const files = [json('logcluster.json', withoutSecrets(cluster)), ...listed, ...parts.flat()]
    if (this.#errors.length === 0) return files
    return [...files, { path: 'errors.txt', text: `${this.#errors.join('\n')}\n` }]
  }

  async #listed(kind: string, scope: readonly string[]): Promise<Listed[]> {
    const text = await this.#ask(kind, ['get', kind, ...scope, '-o', 'json'])
    return text === null ? [] : (JSON.parse(text) as { items: Listed[] }).items
  }

  async #topics(scope: readonly string[]): Promise<ReportFile[]> {
    const topics = await this.#listed('logtopics', scope)
    return listFile(
      'logtopics',
      topics.filter(({ spec }) => spec?.clusterRef?.name === this.#cluster),
    )
  }

  /** Without those that hold the metadata log: 96 of them, and binary. */
  async #configMaps(scope: readonly string[]): Promise<ReportFile[]> {
    const maps = await this.#listed('configmaps', scope)
    return listFile(
      'configmaps',
      maps.filter(
        ({ metadata }) => metadata.labels?.['app.kubernetes.io/component'] !== 'metadata',
      ),
    )
  }

  async #volumes(claims: readonly Listed[]): Promise<ReportFile[]> {
    const names = claims.flatMap(({ spec }) => spec?.volumeName ?? [])
    if (names.length === 0) return []
    const args = ['get', 'persistentvolumes', ...names, '-o', 'json']
    const text = await this.#ask('persistentvolumes', args)
    if (text === null) return []
    return [json('persistentvolumes.json', withoutSecrets(JSON.parse(text) as object))]
  }

  async #broker(pod: string): Promise<ReportFile[]> {
    const own = brokerPaths.map(async ([path, file]) => {
      const asked = askPod(this.#kubectl, { namespace: this.#namespace, pod, path })
      const text = await this.#orNull(`${pod} ${path}`, asked)
      return text === null ? [] : [{ path: `${pod}/${file}`, text }]
    })
    const log = ['logs', pod, `--namespace=${this.#namespace}`, `--tail=${logLinesMax}`]
    const parts = await Promise.all([
      ...own,
      this.#text(`${pod}/log.txt`, log),
      // There is none where the container never restarted, which is as it should be.
      this.#kubectl.run([...log, '--previous']).then(
        text => [{ path: `${pod}/previous-log.txt`, text }],
        () => [],
      ),
    ])
    return parts.flat()
  }

  async #exported(): Promise<ReportFile[]> {
    const { name, scope } = { name: this.#cluster, scope: [`--namespace=${this.#namespace}`] }
    const text = await this.#orNull('export', exportText(this.#kubectl, { name, scope }))
    return text === null ? [] : [{ path: 'export.json', text }]
  }

  async #text(path: string, args: readonly string[]): Promise<ReportFile[]> {
    const text = await this.#ask(path, args)
    return text === null ? [] : [{ path, text }]
  }

  #ask(what: string, args: readonly string[]): Promise<string | null> {
    return this.#orNull(what, this.#kubectl.run(args))
  }

  async #orNull(what: string, asked: Promise<string>): Promise<string | null> {
    try {
      return await asked
    } catch (error) {
      if (!(error instanceof KubectlError)) throw error
      this.#errors.push(`${what}: ${error.message}`)
      return null
    }
  }
}

/** As much of any object as a report looks at. */
interface Listed extends KubernetesObject {
  readonly metadata: KubernetesObject['metadata'] & {
    readonly labels?: Readonly<Record<string, string>>
  }
  readonly spec?: {
    readonly clusterRef?: { readonly name: string }
    readonly volumeName?: string
  }
}

function listFile(kind: string, objects: readonly Listed[]): ReportFile[] {
  return objects.length === 0 ? [] : [json(`${kind}.json`, objects.map(withoutSecrets))]
}

function json(path: string, value: object): ReportFile {
  return { path, text: `${JSON.stringify(value, null, 2)}\n` }
}
