import { StubBrokers } from '../../../operator/stub-brokers.ts'
import { StubDisks } from '../../../operator/stub-disks.ts'
import { zeroUuid } from '../../../../src/lib/uuid.ts'
import { BrokerError } from '../../../../src/operator/brokers/broker-error.ts'
import type {
  BrokerAccess,
  Brokers,
  BrokerStatus,
  ClusterPlaces,
  ConfigChange,
  ConfigsOf,
  Created,
  DescribedConfig,
  Outcome,
  TopicDescription,
  TopicWish,
} from '../../../../src/operator/brokers/brokers.ts'
import type { HttpApi } from '../../../../src/operator/kubernetes/http-api.ts'
import type {
  Draft,
  Pod,
  PersistentVolume,
  PersistentVolumeClaim,
} from '../../../../src/operator/kubernetes/objects.ts'
import { resources, type Resource } from '../../../../src/operator/kubernetes/resources.ts'

/** Brokers that have topics too. */
class StubTopics implements Brokers {
  readonly #brokers: StubBrokers
  /** By address of the pod, then by name. */
  readonly #topics = new Map<string, Map<string, TopicDescription>>()
  readonly #configs = new Map<string, ReadonlyMap<string, DescribedConfig>>()
  #serial = 0

  constructor(brokers: StubBrokers) {
    this.#brokers = brokers
  }

  status(broker: BrokerAccess): Promise<BrokerStatus> {
    return this.#brokers.status(broker)
  }

  alterConfigs(
    broker: BrokerAccess,
    changes: readonly ConfigChange[],
  ): Promise<readonly Outcome[]> {
    return this.#brokers.alterConfigs(broker, changes)
  }

  async describeConfigs(
    broker: BrokerAccess,
    of: readonly ConfigsOf[],
  ): Promise<readonly ReadonlyMap<string, DescribedConfig>[]> {
    if (of[0]?.kind !== 'topic') return this.#brokers.describeConfigs(broker)
    return of.map(
      each =>
        this.#configs.get(`${broker.host} ${each.kind === 'topic' ? each.name : ''}`) ?? new Map(),
    )
  }

  places(broker: BrokerAccess, topics?: readonly string[]): Promise<ClusterPlaces> {
    return this.#brokers.places(broker, topics)
  }

  async createTopics({ host }: BrokerAccess, wishes: readonly TopicWish[]): Promise<Created[]> {
    return wishes.map(({ name, partitionCount, configs }) => {
      const topicId = `topic${++this.#serial}`.padEnd(zeroUuid.length, 'A')
      this.#of(host).set(name, {
        name,
        topicId,
        isInternal: false,
        partitionCount: Math.max(1, partitionCount),
        replicationFactor: 1,
        leaderlessCount: 0,
      })
      const described = Object.entries(configs).map(
        ([key, value]) => [key, { value, source: 'topic', isReadOnly: false }] as const,
      )
      this.#configs.set(`${host} ${name}`, new Map(described))
      return { topicId }
    })
  }

  async describeTopics(
    { host }: BrokerAccess,
    names: readonly string[],
  ): Promise<(TopicDescription | null)[]> {
    return names.map(name => this.#of(host).get(name) ?? null)
  }

  async listTopics({ host }: BrokerAccess): Promise<TopicDescription[]> {
    return [...this.#of(host).values()]
  }

  deleteTopics = notHere('deleteTopics')
  createPartitions = notHere('createPartitions')
  retireDirectory = notHere('retireDirectory')
  moveReplicas = notHere('moveReplicas')
  unregister = notHere('unregister')

  close(): void {}

  #of(host: string): Map<string, TopicDescription> {
    const topics = this.#topics.get(host) ?? new Map<string, TopicDescription>()
    this.#topics.set(host, topics)
    return topics
  }
}

function notHere(question: keyof Brokers): () => never {
  return () => {
    throw new BrokerError('answered', `the stub answers no ${question}`)
  }
}

/** On which all volumes lie. */
const nodeName = 'n1'

/**
 * Kubelet, scheduler and volumes of brokers, by writes of status: what is there for fifty clusters at once, of which nobody
 * has fifty brokers. StatefulSets are Kubernetes' own.
 */
export class StubNodes {
  readonly disks = new StubDisks()
  readonly brokers: Brokers = new StubTopics(new StubBrokers(this.disks))
  readonly #api: HttpApi
  readonly #done = new Map<string, string>()
  #serial = 0

  constructor(api: HttpApi) {
    this.#api = api
  }

  /** The node has to be there: a volume whose node is gone is a disk that is lost. */
  async begin(): Promise<void> {
    const metadata = { name: nodeName, labels: { 'kubernetes.io/hostname': nodeName } }
    const { apiVersion, kind } = resources.nodes
    await this.#api.create(resources.nodes, { apiVersion, kind, metadata } as Draft)
  }

  /** Moves each pod of a broker as far as it goes now. */
  async tick(): Promise<void> {
    const labelSelector = 'app.kubernetes.io/component=broker'
    const pods = await this.#api.list(resources.pods, { labelSelector })
    await Promise.all(pods.map(pod => this.#run(pod)))
  }

  async #run(pod: Pod): Promise<void> {
    const { namespace = '', uid, labels } = pod.metadata
    const owner = labels?.['logcluster.dev/broker'] ?? ''
    const identity = await this.#api.get(resources.configMaps, {
      namespace,
      name: `${owner}-identity`,
    })
    const seen = `${pod.metadata.resourceVersion} ${identity?.metadata.resourceVersion}`
    if (this.#done.get(uid) === seen) return
    const claim = pod.spec?.volumes?.find(it => it.persistentVolumeClaim !== undefined)
    const name = claim?.persistentVolumeClaim?.claimName ?? ''
    const volume = `pv-${namespace}-${name}`
    await this.#bind(namespace, name, volume)
    const host = pod.status?.podIP ?? this.#address()
    if (!this.disks.contents.has(volume)) this.disks.contents.set(volume, null)
    const outcome = this.disks.start(pod, host, volume, identity?.data)
    const isReady = outcome.kind === 'runs' && outcome.isReady
    const written = await this.#status(pod, host, isReady)
    this.#done.set(uid, `${written} ${identity?.metadata.resourceVersion}`)
  }

  async #status(pod: Pod, host: string, isReady: boolean): Promise<string> {
    const is = isReady ? 'True' : 'False'
    const now = new Date().toISOString()
    const container = {
      name: pod.spec!.containers[0]!.name,
      ready: isReady,
      started: true,
      restartCount: 0,
      image: 'stub',
      imageID: 'stub',
      state: { running: { startedAt: now } },
    }
    const status = {
      phase: 'Running',
      podIP: host,
      podIPs: [{ ip: host }],
      hostIP: '10.99.0.1',
      hostIPs: [{ ip: '10.99.0.1' }],
      startTime: now,
      conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map(type => ({
        type,
        status: type === 'PodScheduled' || type === 'Initialized' ? 'True' : is,
      })),
      containerStatuses: [container],
    }
    return (await this.#apply(resources.pods, pod.metadata, { status }, true)).metadata
      .resourceVersion
  }

  async #bind(namespace: string, name: string, volume: string): Promise<void> {
    const claim = await this.#api.get(resources.persistentVolumeClaims, { namespace, name })
    if (claim === null || claim.status?.phase === 'Bound') return
    const storage = claim.spec?.resources?.requests?.['storage'] ?? '1Gi'
    await this.#apply<PersistentVolume>(
      resources.persistentVolumes,
      { name: volume },
      {
        spec: {
          capacity: { storage },
          accessModes: ['ReadWriteOnce'],
          persistentVolumeReclaimPolicy: 'Delete',
          local: { path: '/nowhere' },
          claimRef: {
            apiVersion: 'v1',
            kind: 'PersistentVolumeClaim',
            namespace,
            name,
            uid: claim.metadata.uid,
          },
          nodeAffinity: {
            required: {
              nodeSelectorTerms: [
                {
                  matchExpressions: [
                    { key: 'kubernetes.io/hostname', operator: 'In', values: [nodeName] },
                  ],
                },
              ],
            },
          },
        },
      },
    )
    const at = { namespace, name }
    const claims: Resource<PersistentVolumeClaim> = resources.persistentVolumeClaims
    await this.#api.patch(claims, claim.metadata, { spec: { volumeName: volume } })
    const accessModes = ['ReadWriteOnce']
    const status = { phase: 'Bound', capacity: { storage }, accessModes }
    await this.#apply(claims, at, { status }, true)
  }

  #apply<Object extends Pod | PersistentVolume | PersistentVolumeClaim>(
    resource: Resource<Object>,
    { namespace, name }: { namespace?: string; name: string },
    body: object,
    isStatus = false,
  ): Promise<Object> {
    const { apiVersion, kind } = resource
    const metadata = { ...(namespace === undefined ? {} : { namespace }), name }
    const draft = { apiVersion, kind, metadata, ...body } as Draft
    return isStatus ? this.#api.applyStatus(resource, draft) : this.#api.apply(resource, draft)
  }

  #address(): string {
    const at = ++this.#serial
    return `10.244.${at >> 8}.${at & 255}`
  }
}
