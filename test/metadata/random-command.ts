import type {
  Command,
  ConfigEdit,
  ConfigResource,
  TopicDraft,
} from '../../src/broker/cluster/controller/commands.ts'
import type { MetadataImage } from '../../src/broker/metadata/image.ts'
import type { Prng } from '../../src/lib/prng.ts'
import { uuidFrom } from '../../src/lib/uuid.ts'
import type { NaiveCommand } from './naive-cluster.ts'

type Allocation = Extract<Command, { type: 'allocateProducerIds' }>

const names = ['a', 'b', 'c.d', 'c_d', 'e', 'not a name', '__consumer_offsets']

/** Something to ask of a controller of broker 1 whose image is `image`; often a mistake. */
export function randomCommand(prng: Prng, image: MetadataImage): NaiveCommand | Allocation {
  const some = <T>(make: () => T): T[] => Array.from({ length: 1 + prng.below(3) }, make)
  const changes = (): Partial<TopicDraft> => ({
    partitionCount: prng.pick([-1, 1, 3, 3, 0]),
    replicationFactor: prng.pick([-1, 1, 1, 2]),
    configs: prng.chance(1, 6) ? [{ name: 'bad', value: '' }] : [{ name: 'x', value: 'y' }],
  })
  switch (prng.below(8)) {
    case 0:
    case 1:
    case 2: {
      const drafts = some(() => ({ ...draft(prng), ...changes() }))
      return { type: 'createTopics', drafts, validateOnly: prng.chance(1, 6) }
    }
    case 3: {
      const ids = [...image.topics()].map(({ id }) => id)
      const byId = (): { name: null; id: string } => ({
        name: null,
        id: ids.length > 0 ? prng.pick(ids) : uuidFrom(prng.bytes(16)),
      })
      const target = () => (prng.chance(1, 2) ? { name: prng.pick(names), id: null } : byId())
      return { type: 'deleteTopics', targets: some(target) }
    }
    case 4: {
      const changes = some(() => ({
        resource: resource(prng),
        edits: some(() => edit(prng)),
        isWhole: prng.chance(1, 4),
      }))
      return { type: 'alterConfigs', changes, validateOnly: prng.chance(1, 6) }
    }
    case 5: {
      const assignments = (): number[][] | null =>
        prng.pick([null, null, [[1]], [[1], [1]], [[2]], [[1, 2]]])
      const drafts = some(() => ({
        name: prng.pick(names),
        count: prng.pick([0, 1, 2, 3, 4, 5]),
        assignments: assignments(),
        placementStart: prng.uint32(),
      }))
      return { type: 'createPartitions', drafts, validateOnly: prng.chance(1, 6) }
    }
    case 6: {
      const credential = { salt: '00', storedKey: '01', serverKey: '02', iterations: 4096 }
      const credentials = prng.pick([['A'], ['B'], ['A', 'B']]).map(mechanism => ({
        mechanism,
        credential: prng.chance(1, 2) ? credential : null,
      }))
      return {
        type: 'alterScramUsers',
        changes: some(() => ({ user: prng.pick(['u', 'v', 'w']), credentials })),
      }
    }
    default:
      return { type: 'allocateProducerIds', brokerId: prng.pick([1, 1, 1, 2]) }
  }
}

function resource(prng: Prng): ConfigResource {
  if (prng.chance(2, 3)) return { type: 'topic', name: prng.pick(names) }
  if (prng.chance(1, 3)) return { type: 'group', groupId: prng.pick(['g', 'g', '']) }
  return { type: 'broker', brokerId: prng.pick([1, 1, null, null, 2]) }
}

function edit(prng: Prng): ConfigEdit {
  const name = prng.pick(['x', 'y', 'list', 'list', 'bad'])
  const value = prng.pick(['a', 'b', 'c'])
  const operation = prng.pick(['set', 'delete', 'append', 'subtract'] as const)
  return operation === 'delete' ? { operation, name } : { operation, name, value }
}

function draft(prng: Prng): TopicDraft {
  const chance = { topicId: uuidFrom(prng.bytes(16)), placementStart: prng.uint32() }
  const counts = { partitionCount: -1, replicationFactor: -1 }
  return { name: prng.pick(names), ...counts, assignments: [], configs: [], ...chance }
}
