import { allMetadata } from '../../broker/wire/client/all-topics.ts'
import { AnsweredError, refuseErrors } from '../../broker/wire/client/client-error.ts'
import type { WireClient } from '../../broker/wire/client/client.ts'
import {
  listGroups,
  type MetadataResponse,
  offsetFetch,
  type OffsetFetchResponse,
} from '../../broker/wire/messages/index.ts'
import type { Address } from '../../env/env.ts'
import { partitionOf } from '../../broker/coordinator/offsets-topic.ts'
import { offsetsTopicName } from '../../lib/topic-name.ts'
import type { GroupExport, OffsetExport } from './document.ts'

/** The way to the brokers of a cluster. */
export interface Access {
  any(): Promise<WireClient>
  at(address: Address): Promise<WireClient>
}

/** Offsets by name: the last version that has them so. */
const offsetVersion = 8

/** Who leads a partition of committed offsets, and so coordinates the groups in it. */
interface Place {
  readonly index: number
  readonly leader: Address
  /** Another one where anything has moved. */
  readonly mark: string
}

/**
 * All groups with offsets, or none: each partition of committed offsets has a leader that knows its groups, and had the same one
 * all the time. ListGroups alone would not tell: it leaves out what nobody leads or a leader still waits for. A broker that is away and
 * leads nothing of them is not missed. @throws WireClientError, AnsweredError
 */
export async function readGroups(access: Access): Promise<GroupExport[]> {
  const before = placesIn(await allMetadata(await access.any()))
  const byLeader = Map.groupBy(before, ({ leader: { host, port } }) => `${host}:${port}`)
  const found = new Map<string, GroupExport>()
  for (const places of byLeader.values()) {
    const client = await access.at(places[0]!.leader)
    for (const each of await groupsOf(client)) found.set(each.group, each)
    await refuseUnknown(client, places, before.length)
  }
  const after = placesIn(await allMetadata(await access.any()))
  const moved = after.find(({ mark }, index) => before[index]?.mark !== mark)
  if (moved !== undefined) {
    throw new AnsweredError('NOT_COORDINATOR', `groups moved with ${nameOf(moved.index)}`)
  }
  return [...found.values()].toSorted((a, b) => (a.group < b.group ? -1 : 1))
}

/** In order of their index; empty where no group ever was. */
function placesIn({ topics, brokers }: MetadataResponse): Place[] {
  const topic = topics.find(({ name }) => name === offsetsTopicName)
  refuseErrors(topic?.errorCode ?? 0, `topic ${offsetsTopicName}`)
  const partitions = topic?.partitions ?? []
  return partitions
    .toSorted((a, b) => a.partitionIndex - b.partitionIndex)
    .map(({ partitionIndex: index, leaderId, leaderEpoch }) => {
      const leader = brokers.find(({ nodeId }) => nodeId === leaderId)
      if (leader === undefined) {
        const about = `nobody leads ${nameOf(index)}, and its groups would be left out`
        throw new AnsweredError('COORDINATOR_NOT_AVAILABLE', about)
      }
      const { host, port } = leader
      return { index, leader: { host, port }, mark: `${index} ${leaderId} ${leaderEpoch}` }
    })
}

function nameOf(index: number): string {
  return `${offsetsTopicName}-${index}`
}

/** Groups with offsets that `client` coordinates. */
async function groupsOf(client: WireClient): Promise<GroupExport[]> {
  const { groups, errorCode } = await client.request(listGroups, {
    statesFilter: [],
    typesFilter: [],
  })
  refuseErrors(errorCode, 'groups')
  const found: GroupExport[] = []
  for (const { groupId } of groups) {
    const [group] = await offsetsOf(client, [groupId])
    refuseErrors(group?.errorCode ?? 0, `group ${groupId}`)
    const offsets = sorted(groupId, group?.topics ?? [])
    if (offsets.length > 0) found.push({ group: groupId, offsets })
  }
  return found
}

/** Asks for a group of each place that nobody has: whoever knows the groups there answers that it has no offsets. */
async function refuseUnknown(
  client: WireClient,
  places: readonly Place[],
  count: number,
): Promise<void> {
  const names = places.map(({ index }) => nameIn(index, count))
  const answers = await offsetsOf(client, names)
  for (const [at, { index }] of places.entries()) {
    const answer = answers.find(({ groupId }) => groupId === names[at])
    const about = `the leader of ${nameOf(index)} does not know its groups yet`
    refuseErrors(answer?.errorCode ?? -1, about)
  }
}

/** A group that is kept in that partition. */
function nameIn(index: number, count: number): string {
  for (let number = 0; ; number++) {
    const name = `logcluster-export-${number}`
    if (partitionOf(name, count) === index) return name
  }
}

async function offsetsOf(
  client: WireClient,
  groupIds: readonly string[],
): Promise<OffsetFetchResponse['groups']> {
  const groups = groupIds.map(groupId => ({ groupId, topics: null }))
  const wish = { groupId: '', topics: null, groups, requireStable: false }
  const answer = await client.request(offsetFetch, wish, { version: offsetVersion })
  return answer.groups
}

function sorted(
  groupId: string,
  topics: OffsetFetchResponse['groups'][number]['topics'],
): OffsetExport[] {
  const offsets = topics.flatMap(({ name, partitions }) =>
    partitions.flatMap(({ partitionIndex, committedOffset, metadata, errorCode }) => {
      refuseErrors(errorCode, `group ${groupId} in ${name}-${partitionIndex}`)
      const offset = Number(committedOffset)
      if (offset < 0) return []
      return [{ topic: name, partition: partitionIndex, offset, metadata: metadata ?? '' }]
    }),
  )
  return offsets.toSorted((a, b) =>
    a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1,
  )
}
