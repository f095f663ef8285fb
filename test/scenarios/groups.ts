import { deepEqual, equal } from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { GroupOfThree, MemberProcess, partitionCount } from '../clients/group-of-three.ts'
import { NotApplicable } from './driver-process.ts'
import type { World } from './world.ts'

export async function commitAndResume(world: World): Promise<void> {
  tellHowItJoins(world)
  await world.createTopic()
  await world.produceBatch(30)
  const wish = { topic: world.topic, group: `resumes-${world.topic}`, count: 10 }
  for (const from of [0, 10, 20]) {
    const found = await world.driver.call('consumeGroup', wish)
    deepEqual(
      found.map(({ offset }) => offset),
      Array.from({ length: 10 }, (_, at) => from + at),
    )
  }
}

/** As in test/clients/groups.test.ts, for every client. */
export async function groupOfThree(world: World): Promise<void> {
  tellHowItJoins(world)
  await world.createTopic({}, partitionCount)
  const { wire } = world
  await using group = new GroupOfThree(world.broker, world.member(), world.topic)
  const [first, second] = [group.start(), group.start(), group.start()]
  await group.produce(wire, 50)
  await group.settled()
  await group.everythingRead()
  await group.everythingCommitted(wire)
  await group.leave(first!)
  await group.settled()
  await group.produce(wire, 50)
  await group.everythingRead()
  await group.everythingCommitted(wire)
  const { repeatsAtHandOver } = world.client
  if (repeatsAtHandOver === null) equal(group.repeatedCount, 0)
  else if (group.repeatedCount > 0) world.remarks.push(repeatsAtHandOver)
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
export async function staticRestart(world: World): Promise<void> {
  const { noStaticMembers, staticMembers } = world.client
  if (noStaticMembers !== null) throw new NotApplicable(noStaticMembers)
  if (staticMembers !== null) world.remarks.push(staticMembers)
  tellHowItJoins(world)
  await world.createTopic({}, partitionCount)
  const orders = (name: string): string[] => [
    world.broker.address,
    world.topic,
    `static-${world.topic}`,
    name,
  ]
  const stays = new MemberProcess(world.member('stays'), orders('stays'))
  let restarted = new MemberProcess(world.member('restarts'), orders('restarts'))
  try {
    const isSettled = (): boolean => {
      const ended = [stays, restarted].find(({ hasEnded }) => hasEnded)
      if (ended !== undefined) throw new Error(`a member ended: ${ended.said.slice(-600)}`)
      const parts = [stays, restarted].map(({ assigned }) => assigned ?? [])
      return parts.every(part => part.length === partitionCount / 2) && !sameMember(parts)
    }
    await world.until('both have their part', isSettled)
    // A rebalance that is still under way would look like one that the restart caused.
    await sleep(500)
    const before = timesTold(world, 'A rebalance begins')
    const [own, others] = [restarted.assigned!, stays.assigned!]
    await restarted.crash()
    restarted = new MemberProcess(world.member('restarts'), orders('restarts'))
    await world.until('it has its part again', () => restarted.assigned !== null)
    deepEqual(
      [restarted, stays].map(({ assigned }) => sorted(assigned!)),
      [own, others].map(sorted),
    )
    equal(timesTold(world, 'A rebalance begins') - before, 0)
    equal(timesTold(world, 'A static member is back'), 1)
  } finally {
    await stays.crash()
    await restarted.crash()
  }
}

function tellHowItJoins({ client, remarks }: World): void {
  if (client.joinsGroups !== null) remarks.push(client.joinsGroups)
}

function sameMember([a = [], b = []]: (readonly number[])[]): boolean {
  return a.some(partition => b.includes(partition))
}

function sorted(partitions: readonly number[]): number[] {
  return partitions.toSorted((a, b) => a - b)
}

/** How often the broker has told this of the topic's static group. */
function timesTold(world: World, words: string): number {
  const lines = world.broker.output.split('\n')
  return lines.filter(line => line.includes(words) && line.includes(`static-${world.topic}`)).length
}
