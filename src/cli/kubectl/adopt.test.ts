import { describe, expect, test } from 'vitest'
import { StubKubectl } from '../../../test/helpers/stub-kubectl.ts'
import { adopt } from './adopt.ts'

const wish = { name: 'orders', scope: ['--namespace=streaming'] }

interface Left {
  readonly name: string
  readonly broker?: string
  readonly incarnation?: number
  readonly clusterId?: string
  readonly namespace?: string
  readonly held?: object
  readonly claim?: string
}

/** A volume that an operator has marked, and that was left when its claim was deleted. */
function volume(left: Left): object {
  const { name, broker = 'orders-main-0', incarnation = 1, clusterId = 'first' } = left
  const { namespace = 'streaming', held = { uid: `uid-${name}`, resourceVersion: '7' } } = left
  const { claim = `data-${broker}-${incarnation}` } = left
  return {
    kind: 'PersistentVolume',
    metadata: {
      name,
      labels: { 'logcluster.dev/cluster': 'orders', 'logcluster.dev/broker': broker, mine: 'yes' },
      annotations: {
        'logcluster.dev/cluster-id': clusterId,
        'logcluster.dev/broker-id': '0',
        'logcluster.dev/incarnation': String(incarnation),
        'logcluster.dev/reclaim-policy': 'Delete',
        'example.com/mine': 'yes',
      },
    },
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '10Gi' },
      storageClassName: 'local-nvme',
      claimRef: { namespace, name: claim, ...held },
    },
    status: { phase: 'Released' },
  }
}

function kubectl(
  volumes: readonly Left[],
  { claims = [] as string[], clusterId = undefined as string | undefined } = {},
): StubKubectl {
  const metadata = { name: 'orders', namespace: 'streaming' }
  return new StubKubectl({
    'get persistentvolumes --selector=logcluster.dev/cluster=orders': {
      items: volumes.map(volume),
    },
    'get logclusters --namespace=streaming': {
      items:
        clusterId === undefined ? [] : [{ kind: 'LogCluster', metadata, status: { clusterId } }],
    },
    'get persistentvolumeclaims --namespace=streaming': {
      items: claims.map(name => ({ kind: 'PersistentVolumeClaim', metadata: { name } })),
    },
    'config view': 'streaming',
    patch: '',
    create: '',
  })
}

function writes({ calls }: StubKubectl): string[] {
  return calls.filter(call => /^(patch|create) /.test(call))
}

describe('adoption of volumes that were kept', () => {
  test('each broker has the claim of its newest volume again, which only that may have', async () => {
    const asked = kubectl([
      { name: 'pv-1' },
      { name: 'pv-2', incarnation: 2 },
      { name: 'pv-3', broker: 'orders-main-1' },
    ])
    const told = await adopt(asked, wish)
    expect(writes(asked)).toEqual([
      'patch persistentvolume pv-2 --type=json --patch [{"op":"test","path":"/spec/claimRef/uid","value":"uid-pv-2"},{"op":"remove","path":"/spec/claimRef/uid"},{"op":"remove","path":"/spec/claimRef/resourceVersion"}]',
      'create --namespace=streaming --filename=-',
      'patch persistentvolume pv-3 --type=json --patch [{"op":"test","path":"/spec/claimRef/uid","value":"uid-pv-3"},{"op":"remove","path":"/spec/claimRef/uid"},{"op":"remove","path":"/spec/claimRef/resourceVersion"}]',
      'create --namespace=streaming --filename=-',
    ])
    const [first] = asked.inputs.map(input => JSON.parse(input) as object)
    expect(first).toMatchObject({
      metadata: {
        namespace: 'streaming',
        name: 'data-orders-main-0-2',
        annotations: {
          'logcluster.dev/cluster-id': 'first',
          'logcluster.dev/broker-id': '0',
          'logcluster.dev/incarnation': '2',
        },
      },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'local-nvme',
        volumeName: 'pv-2',
        resources: { requests: { storage: '10Gi' } },
      },
    })
    expect(JSON.stringify(first)).not.toMatch(/mine|reclaim/)
    expect(told).toContain('orders-main-0: claim data-orders-main-0-2 of volume pv-2 is given back')
    expect(told).toContain('cluster first')
  })

  test('goes on where it was interrupted, and does nothing where all is there', async () => {
    const volumes = [
      { name: 'pv-1', held: {} },
      { name: 'pv-3', broker: 'orders-main-1' },
    ]
    const asked = kubectl(volumes, { claims: ['data-orders-main-1-1'], clusterId: 'first' })
    const told = await adopt(asked, { ...wish, scope: [] })
    expect(writes(asked)).toEqual(['create --namespace=streaming --filename=-'])
    expect(told).toContain('of volume pv-3 is there already')
  })

  test.for([
    ['no volume says', [], undefined],
    ['no volume says', [{ name: 'pv-1', namespace: 'elsewhere' }], undefined],
    ['no volume says', [{ name: 'pv-1', claim: 'of-somebody' }], undefined],
    [
      'pv-1 of orders-main-0 is of cluster first, pv-2 of orders-main-1 is of cluster second',
      [{ name: 'pv-1' }, { name: 'pv-2', broker: 'orders-main-1', clusterId: 'second' }],
      undefined,
    ],
    ['has begun as second', [{ name: 'pv-1' }], 'second'],
  ] as const)('writes nothing where %s', async ([sentence, volumes, clusterId]) => {
    const asked = kubectl(volumes, { clusterId })
    await expect(adopt(asked, wish)).rejects.toThrow(sentence)
    expect(writes(asked)).toEqual([])
  })
})
