import { describe, expect, test } from 'vitest'
import { askedOnce, indexesOnce, namedOnce, partitionsOnce } from './named-once.ts'

const part = (index: number, say: string) => ({ index, say })

describe('a request that names things twice', () => {
  test('is read as the last one says, where the first one stands', () => {
    const items = [part(1, 'first'), part(2, 'other'), part(1, 'last')]
    expect(namedOnce(items, ({ index }) => index)).toEqual([part(1, 'last'), part(2, 'other')])
  })

  test('has the partitions of all of a topic that stands there twice', () => {
    const topics = [
      { name: 'a', partitions: [part(0, 'first'), part(1, 'first')] },
      { name: 'b', partitions: [part(0, 'of b')] },
      { name: 'a', partitions: [part(2, 'second'), part(0, 'second')] },
    ]
    expect(partitionsOnce(topics, ({ index }) => index)).toEqual([
      { name: 'a', partitions: [part(0, 'second'), part(1, 'first'), part(2, 'second')] },
      { name: 'b', partitions: [part(0, 'of b')] },
    ])
  })

  test('has all that it asks of a thing, where the first one stands', () => {
    const items = [part(1, 'first'), part(2, 'other'), part(1, 'last')]
    const once = askedOnce(
      items,
      ({ index }) => String(index),
      named => part(named[0]!.index, named.map(({ say }) => say).join()),
    )
    expect(once).toEqual([part(1, 'first,last'), part(2, 'other')])
  })

  test('has each number of a partition once, whether its topic is meant by name or by id', () => {
    const named = [
      { name: 'a', partitionIndexes: [1, 1, 0] },
      { name: 'b', partitionIndexes: [] },
      { name: 'a', partitionIndexes: [2, 1] },
    ]
    expect(indexesOnce(named)).toEqual([{ name: 'a', partitionIndexes: [1, 0, 2] }, named[1]])
    const topicId = 'cHJlc2VudHByZXNlbnRwcg'
    const byId = [1, 1].map(at => ({ name: '', topicId, partitionIndexes: [at] }))
    expect(indexesOnce(byId)).toEqual([byId[0]])
  })

  test('costs no square of the times that it names one', () => {
    const topics = Array.from({ length: 100_000 }, (_, at) => ({
      name: 'a',
      partitions: [part(at, '')],
    }))
    expect(partitionsOnce(topics, ({ index }) => index)[0]!.partitions).toHaveLength(100_000)
  })

  test('has no topic of which it names no partition', () => {
    const topics = [
      { name: 'empty', partitions: [] },
      { name: 'a', partitions: [part(0, '')] },
    ]
    expect(partitionsOnce(topics, ({ index }) => index)).toEqual([topics[1]])
    expect(partitionsOnce([topics[0]!], () => 0)).toEqual([])
  })
})
