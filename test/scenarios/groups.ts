import { deepEqual, equal } from 'node:assert/strict'
import { describeGroups } from '../../src/broker/wire/messages/index.ts'
import { GroupOfThree, MemberProcess, partitionCount } from '../clients/group-of-three.ts'
import { NotApplicable } from './driver-process.ts'
import type { Stage } from './stage.ts'

export async function commitAndResume(stage: Stage): Promise<void> {
  tellHowItJoins(stage)
  await stage.createTopic()
  await stage.produceBatch(30)
  const wish = { topic: stage.topic, group: `resumes-${stage.topic}`, count: 10 }
  for (const from of [0, 10, 20]) {
    if (from > 0) await stage.middleOf(wish.group)
    const found = await stage.driver.call('consumeGroup', wish)
    deepEqual(
      found.map(({ offset }) => offset),
      Array.from({ length: 10 }, (_, at) => from + at),
    )
  }
}

/** As in test/clients/groups.test.ts, for every client. */
export async function groupOfThree(stage: Stage): Promise<void> {
  tellHowItJoins(stage)
  await stage.createTopic({}, partitionCount)
  const { wire } = stage
  await using group = new GroupOfThree(stage.ground, stage.member(), stage.topic)
  const [first, second] = [group.start(), group.start(), group.start()]
  await group.produce(wire, 50)
  await group.settled()
  await group.everythingRead()
  await group.everythingCommitted(wire)
  await stage.middleOf(group.group)
  await group.leave(first!)
  await group.settled()
  await group.produce(wire, 50)
  await group.everythingRead()
  await group.everythingCommitted(wire)
  const { repeatsAtHandOver } = stage.client
  if (repeatsAtHandOver === null) equal(group.repeatedCount, 0)
  else if (group.repeatedCount > 0) stage.remarks.push(repeatsAtHandOver)
  await group.crash(second!)
  await group.produce(wire, 50)
  await group.everythingRead()
  group.start()
  await group.settled()
  await group.produce(wire, 50)
  await group.everythingRead()
  await group.everythingCommitted(wire)
}

/** Killed and started again inside its session time-out, which static members have at 30 s. */
export async function staticRestart(stage: Stage): Promise<void> {
  const { noStaticMembers, staticMembers } = stage.client
  if (noStaticMembers !== null) throw new NotApplicable(noStaticMembers)
  if (staticMembers !== null) stage.remarks.push(staticMembers)
  tellHowItJoins(stage)
  await stage.createTopic({}, partitionCount)
  const orders = (name: string): string[] => [
    stage.ground.address,
    stage.topic,
    `static-${stage.topic}`,
    name,
  ]
  const stays = new MemberProcess(stage.member('stays'), orders('stays'))
  let restarted = new MemberProcess(stage.member('restarts'), orders('restarts'))
  try {
    const isSettled = (): boolean => {
      const ended = [stays, restarted].find(({ hasEnded }) => hasEnded)
      if (ended !== undefined) throw new Error(`a member ended: ${ended.said.slice(-600)}`)
      const parts = [stays, restarted].map(({ assigned }) => assigned ?? [])
      return parts.every(part => part.length === partitionCount / 2) && !sameMember(parts)
    }
    // A rebalance that is still under way would look like one that the restart caused.
    const isStable = async (): Promise<boolean> => {
      const asked = { groups: [`static-${stage.topic}`], includeAuthorizedOperations: false }
      const { groups } = await stage.wire.request(describeGroups, 5, asked)
      return groups[0]?.groupState === 'Stable'
    }
    const isAtRest = async (): Promise<boolean> => (await isStable()) && isSettled()
    await stage.until('both have their part', isAtRest)
    const before = timesTold(stage, 'A rebalance begins')
    const [own, others] = [restarted.assigned!, stays.assigned!]
    await stage.middleOf(`static-${stage.topic}`)
    await restarted.crash()
    restarted = new MemberProcess(stage.member('restarts'), orders('restarts'))
    await stage.until('it has its part again', () => restarted.assigned !== null)
    deepEqual(
      [restarted, stays].map(({ assigned }) => sorted(assigned!)),
      [own, others].map(sorted),
    )
    const isTold = () => timesTold(stage, 'A static member is back') > 0
    await stage.until('the line about the member that is back', isTold)
    equal(timesTold(stage, 'A rebalance begins') - before, 0)
    equal(timesTold(stage, 'A static member is back'), 1)
  } finally {
    await stays.crash()
    await restarted.crash()
  }
}

function tellHowItJoins({ client, remarks }: Stage): void {
  if (client.joinsGroups !== null) remarks.push(client.joinsGroups)
}

function sameMember([a = [], b = []]: (readonly number[])[]): boolean {
  return a.some(partition => b.includes(partition))
}

function sorted(partitions: readonly number[]): number[] {
  return partitions.toSorted((a, b) => a - b)
}

/** How often the broker has told this of the topic's static group. */
function timesTold(stage: Stage, words: string): number {
  const lines = stage.ground.output.split('\n')
  return lines.filter(line => line.includes(words) && line.includes(`static-${stage.topic}`)).length
}
