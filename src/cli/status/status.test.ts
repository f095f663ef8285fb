import { describe, expect, test } from 'vitest'
import { healthOf, type ClusterFacts, type PartitionFacts } from './health.ts'
import { screenOf } from './screen.ts'
import { readWish } from './status.ts'

const brokers = [0, 1, 2].map(id => {
  return { id, host: '127.0.0.1', port: 9092 + id, rack: null, isFenced: id === 2 }
})

const partition = (
  index: number,
  replicas: readonly number[],
  inSync: readonly number[],
  leader = inSync[0] ?? -1,
): PartitionFacts => {
  const inSyncMin = Math.max(1, Math.min(replicas.length - 1, 2))
  return { topic: 'orders', index, leader, replicas, inSync, inSyncMin }
}

const facts = (...partitions: readonly PartitionFacts[]): ClusterFacts => {
  return { clusterId: 'c', controllerId: 1, brokers, partitions }
}

describe('the risk of a restart', () => {
  const riskOf = (id: number, ...partitions: readonly PartitionFacts[]) =>
    healthOf(facts(...partitions)).brokers.find(broker => broker.id === id)!.risk

  test('is none while enough others are in sync', () => {
    expect(riskOf(0, partition(0, [0, 1, 2], [0, 1, 2]))).toEqual({ underMin: [], offline: [] })
    expect(riskOf(2, partition(0, [0, 1, 2], [0, 1]))).toEqual({ underMin: [], offline: [] })
  })

  test('names partitions that would fall under min.insync.replicas', () => {
    const found = [partition(0, [0, 1, 2], [0, 1]), partition(1, [0, 1, 2], [0, 1, 2])]
    expect(riskOf(0, ...found)).toEqual({ underMin: ['orders-0'], offline: [] })
    expect(riskOf(1, ...found)).toEqual({ underMin: ['orders-0'], offline: [] })
  })

  test('names partitions that nobody would lead', () => {
    expect(riskOf(0, partition(3, [0], [0]))).toEqual({ underMin: [], offline: ['orders-3'] })
  })

  test('does not name what is so already', () => {
    const down = partition(0, [0, 1], [], -1)
    const under = { ...partition(1, [0, 1, 2], [0, 1]), inSyncMin: 3 }
    expect(riskOf(0, down, under)).toEqual({ underMin: [], offline: [] })
  })
})

test('the screen tells of a sound cluster in a few lines', () => {
  const sound = { ...facts(partition(0, [0, 1], [0, 1])), brokers: brokers.slice(0, 2) }
  expect(screenOf(healthOf(sound)).split('\n')).toEqual([
    'Cluster c: 2 brokers, controller 1',
    '',
    'broker  address         rack  state           leads  in sync  a restart',
    '0       127.0.0.1:9092  -     up              1      1 of 1   risks nothing',
    '1       127.0.0.1:9093  -     up, controller  0      1 of 1   risks nothing',
    '',
    '1 topic, 1 partition: all replicas in sync',
  ])
})

test('the screen tells of what is not sound, the weakest first, and by name', () => {
  const found = facts(
    partition(0, [0, 1, 2], [0, 1]),
    partition(1, [0, 1, 2], [1]),
    partition(2, [2, 4], [], -1),
  )
  expect(screenOf(healthOf(found)).split('\n')).toEqual([
    'Cluster c: 4 brokers, controller 1',
    '',
    'broker  address         rack  state           leads  in sync  a restart',
    '0       127.0.0.1:9092  -     up              1      1 of 2   stops acks=all for 1 partition',
    '1       127.0.0.1:9093  -     up, controller  1      2 of 2   takes 1 partition offline',
    '2       127.0.0.1:9094  -     fenced          0      0 of 3   -',
    '4       -               -     gone            0      0 of 1   -',
    '',
    '1 topic, 3 partitions: 3 under-replicated, 2 under min.insync.replicas, 1 without a leader',
    '',
    'partition  leader  replicas  in sync  min',
    'orders-1   1       0,1,2     1        2',
    'orders-2   none    2,4       none     1',
    'orders-0   0       0,1,2     0,1      2',
    '',
    'Without broker 0 acks=all is refused in orders-0.',
    'Without broker 1 nobody leads orders-1.',
    'Without broker 1 acks=all is refused in orders-0.',
  ])
})

test('many partitions are counted', () => {
  const many = Array.from({ length: 30 }, (_, index) => partition(index, [0, 1], [0]))
  const screen = screenOf(healthOf(facts(...many)))
  expect(screen).toContain('and 18 more')
  expect(screen).toContain('orders-7 and 22 more.')
})

test('a command line is an address and options', () => {
  const [local, a, b] = [
    { host: '127.0.0.1', port: 9092 },
    { host: 'a', port: 1 },
    { host: 'b', port: 2 },
  ]
  expect(readWish([])).toEqual({ bootstrap: '127.0.0.1:9092', addresses: [local], isJson: false })
  const two = { bootstrap: 'a:1,b:2', addresses: [a, b], isJson: true }
  expect(readWish(['a:1,b:2', '--json'])).toEqual(two)
  expect(readWish(['--bootstrap-server', 'a:1'])).toMatchObject({ bootstrap: 'a:1' })
  expect(readWish(['--bootstrap-server=a:1'])).toMatchObject({ bootstrap: 'a:1' })
  expect(readWish(['a:1', 'b:1'])).toMatch(/one list/)
  expect(readWish(['--jsn'])).toMatch(/--jsn is no option/)
  expect(readWish(['--bootstrap-server'])).toMatch(/needs an address/)
})
