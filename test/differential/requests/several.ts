import {
  alterPartitionReassignments,
  createPartitions,
  createTopics,
  electLeaders,
  listPartitionReassignments,
} from '../../../src/broker/wire/messages/index.ts'
import type { Scenario, Session } from '../session.ts'
import { placed } from './placed.ts'
import { cluster, configs, epochs } from './several-told.ts'

async function creation(session: Session): Promise<void> {
  const wishes: Record<string, object> = {
    'as the cluster has it': { numPartitions: -1, replicationFactor: -1 },
    'on all': { numPartitions: 2, replicationFactor: 3 },
    'on more than there are': { numPartitions: 1, replicationFactor: 4 },
    'on none': { numPartitions: 1, replicationFactor: 0 },
    'on less than none': { numPartitions: 1, replicationFactor: -2 },
    'no partitions': { numPartitions: 0, replicationFactor: 1 },
    'neither of both': { numPartitions: 0, replicationFactor: 0 },
    placed: {
      assignments: [
        [0, 1],
        [1, 2],
      ],
    },
    'placed, and counted': {
      numPartitions: 2,
      replicationFactor: -1,
      assignments: [
        [0, 1],
        [1, 2],
      ],
    },
    'placed, and copied': {
      numPartitions: -1,
      replicationFactor: 2,
      assignments: [
        [0, 1],
        [1, 2],
      ],
    },
    'placed on who is not': { assignments: [[0, 7]] },
    'placed on nobody': { assignments: [[]] },
    'placed twice on one': { assignments: [[1, 1]] },
    'placed on different numbers': { assignments: [[0, 1], [2]] },
    'placed on a negative broker': { assignments: [[-1]] },
  }
  for (const isDry of [true, false]) {
    for (const [label, { assignments = [], ...rest }] of Object.entries(wishes) as [
      string,
      { assignments?: number[][] },
    ][]) {
      const topic = {
        name: session.own(label.replaceAll(/\W+/g, '-')),
        numPartitions: -1,
        replicationFactor: -1,
        ...rest,
        assignments: assignments.map((brokerIds, partitionIndex) => ({
          partitionIndex,
          brokerIds,
        })),
      }
      await session.ask(`${label}${isDry ? ', tried' : ''}`, createTopics, 7, {
        topics: [topic],
        timeoutMs: 30_000,
        validateOnly: isDry,
      })
    }
  }
  const gap = (partitions: number[]) => ({
    name: session.own(`gap-${partitions.join('-')}`),
    numPartitions: -1,
    replicationFactor: -1,
    assignments: partitions.map(partitionIndex => ({ partitionIndex, brokerIds: [0] })),
  })
  for (const which of [[0, 2], [1], [0, 0], [-1]]) {
    await session.ask(`partitions ${which.join()}`, createTopics, 7, {
      topics: [gap(which)],
      timeoutMs: 30_000,
    })
  }
}

async function growth(session: Session): Promise<void> {
  const topic = await placed(session, 'grows', [0, 1])
  const wishes: Record<string, number[][] | null> = {
    chosen: null,
    placed: [[1, 2]],
    'too few placed': [],
    'too many placed': [
      [1, 2],
      [2, 0],
    ],
    'on who is not': [[1, 7]],
    'twice on one': [[1, 1]],
    'on nobody': [[]],
    'on more than others': [[0, 1, 2]],
    'on fewer than others': [[2]],
  }
  for (const [label, lists] of Object.entries(wishes)) {
    const assignments = lists?.map(brokerIds => ({ brokerIds })) ?? null
    await session.ask(label, createPartitions, 3, {
      topics: [{ name: topic, count: 2, assignments }],
      timeoutMs: 30_000,
      validateOnly: true,
    })
  }
  for (const count of [0, 1, -1]) {
    await session.ask(`to ${count}`, createPartitions, 3, {
      topics: [{ name: topic, count, assignments: null }],
      timeoutMs: 30_000,
      validateOnly: true,
    })
  }
}

async function elections(session: Session): Promise<void> {
  const topic = await placed(session, 'elects', [1, 2], [2, 0])
  for (const at of ['', 'broker 1']) {
    const over = session.over(at)
    for (const electionType of [0, 1, 2]) {
      const wishes: Record<string, object[]> = {
        'where it leads': [{ topic, partitions: [0, 1] }],
        'of no topic': [{ topic: session.own('none'), partitions: [0] }],
        'of no partition': [{ topic, partitions: [2, -1] }],
        'of nothing': [],
        'without a name': [{ topic: '', partitions: [0] }],
        'of no number': [{ topic, partitions: [] }],
      }
      for (const [label, topicPartitions] of Object.entries(wishes)) {
        await over.ask(`${label}, ${electionType}, ${at}`, electLeaders, 2, {
          electionType,
          topicPartitions,
          timeoutMs: 30_000,
        })
      }
    }
  }
}

async function reassignments(session: Session): Promise<void> {
  const topic = await placed(session, 'moves', [0, 1], [1, 2])
  const alter = (name: string, partitionIndex: number, replicas: number[] | null) => ({
    topics: [{ name, partitions: [{ partitionIndex, replicas }] }],
    timeoutMs: 30_000,
  })
  const wishes: Record<string, object> = {
    'of no topic': alter(session.own('none'), 0, [0]),
    'of no partition': alter(topic, 5, [0]),
    'to who is not': alter(topic, 0, [0, 7]),
    'to nobody': alter(topic, 0, []),
    'twice to one': alter(topic, 0, [2, 2]),
    'to a negative one': alter(topic, 0, [-1]),
    'given up, where none is': alter(topic, 0, null),
    'given up, of no topic': alter(session.own('none'), 0, null),
    'to where it is': alter(topic, 0, [0, 1]),
    'of nothing': { topics: [], timeoutMs: 30_000 },
    'of no name': alter('', 0, [0]),
    'another number, forbidden': {
      ...alter(topic, 0, [0, 1, 2]),
      allowReplicationFactorChange: false,
    },
    'twice in one': {
      topics: [
        {
          name: topic,
          partitions: [
            { partitionIndex: 0, replicas: [0, 1] },
            { partitionIndex: 0, replicas: [1, 0] },
          ],
        },
      ],
      timeoutMs: 30_000,
    },
  }
  for (const at of ['', 'broker 1']) {
    for (const [label, body] of Object.entries(wishes)) {
      await session
        .over(at)
        .ask(
          `${label}, ${at}`,
          alterPartitionReassignments,
          label.includes('forbidden') ? 1 : 0,
          body as never,
        )
    }
    for (const [label, topics] of Object.entries({
      all: null,
      'those of nothing': [],
      'those of it': [{ name: topic, partitionIndexes: [0, 1] }],
      'those of none': [{ name: session.own('none'), partitionIndexes: [0] }],
      'those of no partition': [{ name: topic, partitionIndexes: [9] }],
    })) {
      await session
        .over(at)
        .ask(`${label}, ${at}`, listPartitionReassignments, 0, { topics, timeoutMs: 30_000 })
    }
  }
}

/** What is asked of three brokers with the ids 0, 1 and 2; the first is asked where no other is named. */
export const severalScenarios: readonly Scenario[] = [
  { name: 'Topics on several brokers', run: creation },
  { name: 'Partitions more on several brokers', run: growth },
  { name: 'A cluster of several', run: cluster },
  { name: 'Elections', run: elections },
  { name: 'Reassignments', run: reassignments },
  { name: 'Configs of brokers', run: configs },
  { name: 'Epochs of leaders', run: epochs },
]
