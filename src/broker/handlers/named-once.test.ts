import { describe, expect, test } from 'vitest'
import { namedOnce, partitionsOnce } from './named-once.ts'

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

  test('has no topic of which it names no partition', () => {
    const topics = [
      { name: 'empty', partitions: [] },
      { name: 'a', partitions: [part(0, '')] },
    ]
    expect(partitionsOnce(topics, ({ index }) => index)).toEqual([topics[1]])
    expect(partitionsOnce([topics[0]!], () => 0)).toEqual([])
  })
})
