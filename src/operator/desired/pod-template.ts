import { httpPort, privatePort } from '../crd/ports.ts'
import type { LogCluster, PoolSpec } from '../crd/cluster.ts'
import type { StatefulSet } from '../kubernetes/objects.ts'
import type { BrokerFacts } from './facts.ts'
import { hashOf } from './hash.ts'
import { brokerLabels } from './labels.ts'
import { claimName, names } from './names.ts'
import { apart } from './placement.ts'
import { advertisedListeners, brokerProperties, places } from './properties.ts'
import { rackAnnotation, rackFile } from './rack.ts'
import { replicationFactorOf } from './replication.ts'

/** Who the broker runs as; the image has that user. */
const userId = 10_001

/** What the pod was made from (`templateHash`). Where it is another than wanted, the broker has to be restarted. */
export const templateAnnotation = 'logcluster.dev/template'
/** The value of `restartedAt` that the pod has obeyed. */
export const restartedAtAnnotation = 'logcluster.dev/restarted-at'
/** What the pod would be tried by beforehand (`checkHash`). */
export const checkAnnotation = 'logcluster.dev/check'

type PodTemplateSpec = NonNullable<StatefulSet['spec']>['template']
type Container = NonNullable<PodTemplateSpec['spec']>['containers'][number]
/** What the schema lets pass is Kubernetes' own shape; JSON has no field that is undefined. */
type Environment = NonNullable<Container['env']>

/** A broker with all that its pod depends on. */
export interface BrokerPod {
  readonly cluster: LogCluster
  readonly pool: PoolSpec
  readonly broker: BrokerFacts
  /** Settings of `spec.config` that need a restart. */
  readonly fixed: ReadonlyMap<string, string>
  /** It runs on for now although `spec.state` is Hibernated: not all brokers may stop yet. Left out: it does not. */
  readonly isHeld?: boolean
}

/**
 * Ten digits over what the *user* decided of a pod. It does not look at the rendered template: an operator that renders
 * another one, with a new variable or probe, restarts nobody; the next restart takes it along.
 */
export function templateHash({ cluster, pool, broker, fixed }: BrokerPod): string {
  const { image, listeners } = cluster.spec
  return hashOf({
    image: broker.image,
    pullPolicy: image.pullPolicy,
    pullSecrets: image.pullSecrets,
    listeners: listeners.map(({ name, port }) => ({ name, port })),
    advertised: advertisedListeners(cluster, broker),
    fixed: [...fixed],
    brokerId: broker.brokerId,
    incarnation: broker.incarnation,
    clusterId: broker.clusterId,
    resources: pool.resources,
    template: pool.template,
    replicationFactor: replicationFactorOf(cluster),
    rack: cluster.spec.rack,
  })
}

/** What a check tells about: another image, another file or another environment is another check. */
export function checkHash(pod: BrokerPod): string {
  const { image } = pod.broker
  const { env } = container(pod)
  return hashOf({ image, configuration: configurationName(pod), env })
}

/** Name of the immutable ConfigMap that holds the broker's file: another file is another ConfigMap. */
export function configurationName(pod: BrokerPod): string {
  const content = brokerProperties(pod.cluster, pod.broker, pod.fixed)
  return names.configuration(pod.broker.name, hashOf(content))
}

/** The pod of one broker. Same cluster, same template, byte for byte, in every release: test/golden/releases has them. */
export function podTemplate(pod: BrokerPod): PodTemplateSpec {
  const { cluster, pool, broker } = pod
  const { metadata, spec } = pool.template?.pod ?? {}
  return {
    metadata: {
      labels: {
        ...metadata?.labels,
        ...brokerLabels(cluster.metadata.name, broker.name, 'broker'),
      },
      annotations: {
        ...metadata?.annotations,
        [templateAnnotation]: templateHash(pod),
        [checkAnnotation]: checkHash(pod),
        ...(broker.restartedAt === '' ? {} : { [restartedAtAnnotation]: broker.restartedAt }),
        ...(broker.rack === undefined ? {} : { [rackAnnotation]: broker.rack }),
      },
    },
    spec: {
      ...placement(pod),
      ...(spec?.priorityClassName === undefined
        ? {}
        : { priorityClassName: spec.priorityClassName }),
      ...runAs,
      serviceAccountName: names.brokerAccount(cluster.metadata.name),
      automountServiceAccountToken: true,
      // A Service whose name begins with ours would look like a setting.
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 120,
      ...pullSecrets(cluster),
      containers: [{ ...container(pod), ...probes, resources: resourcesOf(pool) }],
      volumes: [
        {
          name: 'data',
          persistentVolumeClaim: { claimName: claimName(pool, broker) },
        },
        ...files(pod),
      ],
    },
  }
}

function resourcesOf({
  resources: { requests, limits },
}: PoolSpec): NonNullable<Container['resources']> {
  return {
    requests: quantities(requests),
    ...(limits === undefined ? {} : { limits: quantities(limits) }),
  }
}

export function quantities(given: Readonly<Record<string, string | number | undefined>>) {
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, amount]) =>
      amount === undefined ? [] : [[name, String(amount)]],
    ),
  )
}

/** Where the pod may run. */
export function placement({ cluster, pool }: BrokerPod) {
  const { nodeSelector, tolerations, affinity, topologySpreadConstraints } = (pool.template?.pod
    ?.spec ?? {}) as unknown as NonNullable<PodTemplateSpec['spec']>
  return {
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
    ...(tolerations === undefined ? {} : { tolerations }),
    ...apart(cluster, affinity),
    ...(topologySpreadConstraints === undefined ? {} : { topologySpreadConstraints }),
  }
}

export function pullSecrets(cluster: LogCluster) {
  const secrets = cluster.spec.image.pullSecrets ?? []
  return secrets.length === 0 ? {} : { imagePullSecrets: secrets.map(({ name }) => ({ name })) }
}

/** Pod security `restricted`. Kubelet walks through a volume only where its root has another group. */
export const runAs = {
  securityContext: {
    runAsNonRoot: true,
    runAsUser: userId,
    runAsGroup: userId,
    fsGroup: userId,
    fsGroupChangePolicy: 'OnRootMismatch',
    seccompProfile: { type: 'RuntimeDefault' },
  },
} as const

/** The container, but for its resources and probes: so it is checked, and so it runs. */
export function container({ cluster, pool, broker }: BrokerPod) {
  return {
    name: 'broker',
    image: broker.image,
    imagePullPolicy: cluster.spec.image.pullPolicy,
    args: ['broker', '--config', places.file],
    ports: [
      ...cluster.spec.listeners.map(({ name, port }) => ({ name, containerPort: port })),
      { name: 'private', containerPort: privatePort },
      { name: 'http', containerPort: httpPort },
    ],
    env: [
      { name: 'HOST_IP', valueFrom: { fieldRef: { fieldPath: 'status.hostIP' } } },
      { name: 'LOGCLUSTER_ADVERTISED_LISTENERS', value: advertisedListeners(cluster, broker) },
      ...((pool.template?.pod?.spec?.env ?? []) as Environment),
    ],
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    terminationMessagePath: places.terminationLog,
    volumeMounts: [
      { name: 'data', mountPath: places.volume },
      { name: 'configuration', mountPath: places.configuration, readOnly: true },
      { name: 'credentials', mountPath: places.credentials, readOnly: true },
      { name: 'tmp', mountPath: '/tmp' },
      ...rackFile(cluster).mounts,
    ],
  }
}

/** Volumes of the container beside its disk. */
export function files(pod: BrokerPod) {
  return [
    { name: 'configuration', configMap: { name: configurationName(pod) } },
    {
      name: 'credentials',
      secret: { secretName: names.privateSecret(pod.cluster.metadata.name), defaultMode: 0o440 },
    },
    { name: 'tmp', emptyDir: { sizeLimit: '64Mi' } },
    ...rackFile(pod.cluster).volumes,
  ]
}

/**
 * None of them asks anything of the API server. Startup waits for as long as a process may need before it answers at
 * all; how long recovery takes is nobody's business but readiness's, so that no recovery is cut short by a restart.
 */
const probes = {
  startupProbe: {
    httpGet: { path: '/healthz', port: 'http' },
    periodSeconds: 1,
    timeoutSeconds: 5,
    failureThreshold: 3600,
  },
  livenessProbe: {
    httpGet: { path: '/healthz', port: 'http' },
    periodSeconds: 10,
    timeoutSeconds: 10,
    failureThreshold: 6,
  },
  readinessProbe: {
    httpGet: { path: '/readyz', port: 'http' },
    periodSeconds: 1,
    timeoutSeconds: 5,
    failureThreshold: 3,
  },
} as const
