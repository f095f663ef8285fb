import { decideAlterPartitions } from '../../src/broker/cluster/controller/alter-partitions.ts'
import type { MetadataImage, PartitionImage } from '../../src/broker/metadata/image.ts'
import { isActive } from '../../src/broker/metadata/replicas.ts'
import type { ReplicaEffect, ReplicaEvent } from '../../src/broker/partition/replica/replica.ts'
import { registered } from '../metadata/brokers.ts'
import { type Parts, product } from './cluster-model.ts'
import { decisions, incarnationOf, nextEpoch, type Decisions } from './images.ts'
import { makeReplica, type Machine, type MakeMachine } from './machines.ts'
import { oneWrite, type Budget } from './states.ts'

/** A line that somebody could write, and what it breaks. */
export interface Bug {
  /** The rule that it breaks. */
  readonly rule: string
  readonly what: string
  readonly parts: Parts
  /** Enough to find it. */
  readonly budget: Budget
}

/** The product's machine, with other ears. */
function deaf(hear: (event: ReplicaEvent, machine: Machine) => ReplicaEvent): MakeMachine {
  return brokerId => {
    const machine = makeReplica(brokerId)
    const step = machine.step.bind(machine)
    machine.step = event => step(hear(event, machine))
    return machine
  }
}

/** The product's machine, and what becomes of its effects. */
function heedless(
  act: (effect: ReplicaEffect, machine: Machine) => readonly ReplicaEffect[],
): MakeMachine {
  return brokerId => {
    const machine = makeReplica(brokerId)
    const step = machine.step.bind(machine)
    machine.step = event => step(event).flatMap(effect => act(effect, machine))
    return machine
  }
}

function controller(changes: Partial<Decisions>): Parts {
  return { ...product, decisions: { ...decisions, ...changes } }
}

function partitionOf(image: MetadataImage): { topicId: string; partition: PartitionImage } {
  const [topic] = image.topics()
  return { topicId: topic!.id, partition: topic!.partitions[0]! }
}

function withPartition(image: MetadataImage, changes: Partial<PartitionImage>): MetadataImage {
  const { topicId, partition } = partitionOf(image)
  const partitionEpoch = partition.partitionEpoch + 1
  const after = { ...partition, partitionEpoch, ...changes }
  return image.apply({ type: 'partitionsChanged', topicId, partitions: [after] })
}

/** Where nobody leads, the first of the replicas that lives does. */
function ledByAnybody(image: MetadataImage): MetadataImage {
  const { partition } = partitionOf(image)
  if (partition.leader > 0) return image
  const broker = partition.replicas.map(id => image.brokers.get(id)).find(each => isActive(each))
  if (broker === undefined) return image
  const { id: leader, directoryId } = broker
  const leaderEpoch = partition.leaderEpoch + 1
  return withPartition(image, {
    leader,
    leaderEpoch,
    isr: [directoryId],
    elr: [],
    lastKnownElr: [],
  })
}

export const bugs: readonly Bug[] = [
  {
    rule: 'R1',
    what: 'a registration does not leave the in-sync sets (D8)',
    parts: controller({
      register(image, brokerId) {
        const brokerEpoch = nextEpoch(image)
        const incarnationId = incarnationOf(brokerEpoch)
        return image.apply(registered(brokerId, { brokerEpoch, incarnationId }))
      },
    }),
    budget: { ...oneWrite, powerLosses: 1, fences: 1 },
  },
  {
    rule: 'I-12',
    what: 'a lossy start stays eligible',
    parts: controller({ register: (image, id) => decisions.register(image, id, 'B') }),
    budget: { ...oneWrite, powerLosses: 1, fences: 2 },
  },
  {
    rule: 'R7',
    what: 'whoever fetched is taken for the start that is registered now (D6)',
    parts: controller({
      alter(image, command) {
        const partitions = command.partitions.map(wish => ({
          ...wish,
          isr: wish.isr.map(({ brokerId }) => {
            return { brokerId, brokerEpoch: image.brokers.get(brokerId)!.epoch }
          }),
        }))
        return decideAlterPartitions(image, { ...command, partitions })
      },
    }),
    budget: { ...oneWrite, powerLosses: 1, pauses: 1 },
  },
  {
    rule: 'I-10',
    what: 'the partition epoch is not compared',
    parts: controller({
      alter(image, command) {
        const { leaderEpoch, partitionEpoch } = partitionOf(image).partition
        const epochs = { leaderEpoch, partitionEpoch }
        const partitions = command.partitions.map(wish => ({ ...wish, ...epochs }))
        return decideAlterPartitions(image, { ...command, partitions })
      },
    }),
    budget: { ...oneWrite, fences: 1, pauses: 1 },
  },
  {
    rule: 'R7',
    what: 'a controller that was replaced decides by the registrations that it knows (D7)',
    parts: controller({
      alter(image, command, first) {
        const { partition, topicId } = partitionOf(image)
        const known = first.brokers
        // Where the sender is not who it was, even that controller notices.
        if (known.get(command.brokerId)?.epoch !== command.brokerEpoch) {
          return decideAlterPartitions(image, command)
        }
        const stale =
          partitionOf(first).partition.partitionEpoch < partition.partitionEpoch
            ? first.apply({ type: 'partitionsChanged', topicId, partitions: [partition] })
            : first
        const { image: decided, answer } = decideAlterPartitions(stale, command)
        const after = partitionOf(decided).partition
        if (after.partitionEpoch === partition.partitionEpoch) return { image, answer }
        return { image: withPartition(image, after), answer }
      },
    }),
    budget: { ...oneWrite, powerLosses: 1, pauses: 1 },
  },
  {
    rule: 'R8',
    what: 'who leaves a set that is too small is forgotten',
    parts: controller({
      fence: (image, id) => withPartition(decisions.fence(image, id), { elr: [] }),
      unfence: (image, id) => ledByAnybody(decisions.unfence(image, id)),
    }),
    budget: { ...oneWrite, fences: 2, pauses: 1 },
  },
  {
    rule: 'R9',
    what: 'whoever lives leads where nobody does (D11)',
    parts: controller({
      register: (image, id, startClass) => ledByAnybody(decisions.register(image, id, startClass)),
      fence: (image, id) => ledByAnybody(decisions.fence(image, id)),
      unfence: (image, id) => ledByAnybody(decisions.unfence(image, id)),
    }),
    budget: { ...oneWrite, fences: 2, pauses: 1 },
  },
  {
    rule: 'R5',
    what: 'the watermark moves however few are in sync (D9)',
    parts: {
      ...product,
      makeMachine: deaf(event =>
        event.type === 'role' ? { ...event, role: { ...event.role, minInsyncReplicas: 1 } } : event,
      ),
    },
    budget: { ...oneWrite, fences: 2, pauses: 1 },
  },
  {
    rule: 'R5',
    what: 'who is to leave the in-sync set counts no more before that is committed (D4)',
    parts: {
      ...product,
      makeMachine: heedless((effect, machine) => {
        if (effect.type !== 'alter') return [effect]
        const { partitionEpoch, leaderEpoch, isRecovering } = effect
        const isr = effect.isr.map(({ brokerId }) => brokerId)
        const epochs = { leaderEpoch, partitionEpoch: partitionEpoch + 1 }
        const outcome = { kind: 'committed', isr, isRecovering, ...epochs } as const
        return [effect, ...machine.step({ type: 'altered', partitionEpoch, outcome })]
      }),
    },
    budget: { ...oneWrite, pauses: 1 },
  },
  {
    rule: 'R4',
    what: 'a follower cuts at its watermark (D1)',
    parts: {
      ...product,
      makeMachine: heedless((effect, machine) => {
        if (effect.type !== 'follow' || effect.leader < 0) return [effect]
        return [effect, { type: 'truncate', offset: machine.highWatermark }]
      }),
    },
    budget: { ...oneWrite, fences: 2 },
  },
  {
    rule: 'R7',
    what: 'an answer that was lost is taken for a refusal (D12)',
    parts: { ...product, lostAnswer: { kind: 'rejected', error: 'INELIGIBLE_REPLICA' } },
    budget: { ...oneWrite, fences: 1, cutOffs: 1, lostAnswers: 1 },
  },
]
