import { endpointText } from '../../lib/endpoint-text.ts'
import { etcdPlace, etcdPlaceProblem } from './etcd-place.ts'
import { text } from './setting.ts'

const projected = '/var/run/secrets/kubernetes.io/serviceaccount'

/** The rows of the table of settings that a broker in Kubernetes goes by; the operator gives them. */
export const kubernetesSettings = {
  'cluster.id': text({
    default: '',
    effect: 'at restart',
    described: 'where given',
    doc: 'Id of the cluster that this broker belongs to, 22 characters of base64url; what is of another one is refused. Empty: whatever the metadata log says, and a new one where there is none.',
  }),
  'metadata.store': text({
    default: 'files',
    effect: 'at restart',
    described: 'where given',
    doc: "Where the cluster's metadata log is. files: in metadata.log.dir, for one broker. kubernetes: in ConfigMaps that the operator made; needs cluster.id, kubernetes.namespace and kubernetes.cluster.name. etcd://host:2379[,host:2379]/name: in an etcd, for all brokers that name it; start that etcd with --auto-compaction-retention=10m, or its history fills it.",
  }),
  'identity.config.map': text({
    default: '',
    effect: 'at restart',
    described: 'where given',
    doc: "ConfigMap in which the operator records which disk is this broker's: an empty data directory is used only where it permits that, and nothing is served before the disk is recorded. Needs kubernetes.namespace. Empty: an empty directory is always used.",
  }),
  'kubernetes.namespace': text({
    default: '',
    effect: 'at restart',
    described: 'where given',
    doc: 'Namespace of the LogCluster and all of its objects.',
  }),
  'kubernetes.cluster.name': text({
    default: '',
    effect: 'at restart',
    described: 'where given',
    doc: 'Name of the LogCluster: the names of its objects begin with it.',
  }),
  'kubernetes.api.url': text({
    default: '',
    effect: 'at restart',
    described: 'where given',
    doc: 'https://host:port of the Kubernetes API. Empty: as KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT say, which each pod has.',
  }),
  'kubernetes.token.file': text({
    default: `${projected}/token`,
    effect: 'at restart',
    described: 'where given',
    doc: 'Token for the Kubernetes API; read again as it is replaced.',
  }),
  'kubernetes.ca.file': text({
    default: `${projected}/ca.crt`,
    effect: 'at restart',
    described: 'where given',
    doc: 'Certificates, PEM, that the Kubernetes API is trusted by.',
  }),
} as const

/** Where a pod is told to find the API; nothing outside of a pod. */
export function kubernetesDefaults(environment: Readonly<Record<string, string | undefined>>): {
  readonly kubernetesApiUrl?: string
} {
  const host = environment['KUBERNETES_SERVICE_HOST']
  const port = environment['KUBERNETES_SERVICE_PORT'] ?? '443'
  if (host === undefined || host === '') return {}
  return { kubernetesApiUrl: `https://${endpointText(host, port)}` }
}

interface Given {
  readonly clusterId: string
  readonly metadataStore: string
  readonly metadataDir: string
  readonly metadataLogDir: string
  readonly identityConfigMap: string
  readonly kubernetesNamespace: string
  readonly kubernetesClusterName: string
  readonly kubernetesApiUrl: string
}

/** What is missing or wrong, and what to do about it. */
export function kubernetesProblems(settings: Given): string[] {
  const problems: string[] = []
  const { clusterId, kubernetesApiUrl: url } = settings
  if (clusterId !== '' && !/^[A-Za-z0-9_-]{21}[AQgw]$/.test(clusterId)) {
    problems.push(
      `cluster.id is '${clusterId}', and must be 22 characters of base64url, as a uuid has`,
    )
  }
  if (url !== '' && !isHttps(url)) {
    problems.push(`kubernetes.api.url is '${url}', and must be https://host:port`)
  }
  if (settings.identityConfigMap !== '' && settings.kubernetesNamespace === '') {
    problems.push(
      'identity.config.map needs kubernetes.namespace; the operator gives it to its brokers',
    )
  }
  const elsewhere =
    settings.metadataLogDir !== ''
      ? 'metadata.log.dir'
      : settings.metadataStore !== 'files'
        ? 'metadata.store'
        : null
  if (settings.metadataDir !== '' && elsewhere !== null) {
    problems.push(`metadata.dir and ${elsewhere} name two places for one log; give one of them`)
  }
  const { metadataStore } = settings
  if (metadataStore === 'files' || etcdPlace(metadataStore) !== null) return problems
  if (metadataStore !== 'kubernetes') {
    problems.push(
      etcdPlaceProblem(metadataStore) ??
        `metadata.store is '${metadataStore}', and must be files, kubernetes or etcd://host:port[,host:port]/name`,
    )
    return problems
  }
  const needed = {
    'cluster.id': clusterId,
    'kubernetes.namespace': settings.kubernetesNamespace,
    'kubernetes.cluster.name': settings.kubernetesClusterName,
    'kubernetes.api.url': url,
  }
  for (const [name, value] of Object.entries(needed)) {
    if (value !== '') continue
    problems.push(`metadata.store=kubernetes needs ${name}; the operator gives it to its brokers`)
  }
  return problems
}

function isHttps(url: string): boolean {
  return URL.canParse(url) && new URL(url).protocol === 'https:'
}
