import { expect, test } from 'vitest'
import { deferred, type Deferred } from '../../lib/deferred.ts'
import { type ProducerIdBlock, ProducerIds } from './producer-ids.ts'

/** A source of blocks of ten that answers when told. */
function source() {
  const asked: Deferred<ProducerIdBlock>[] = []
  const ids = new ProducerIds(() => {
    const block = deferred<ProducerIdBlock>()
    asked.push(block)
    return block.promise
  })
  let given = 0
  const give = async (): Promise<void> => {
    asked[given]!.resolve({ first: given * 10, count: 10 })
    given++
    await Promise.resolve()
  }
  return { asked, ids, give }
}

test('an id comes at once where a block has one, and the next block is fetched at half', async () => {
  const { asked, ids, give } = source()
  ids.refill()
  ids.refill()
  expect(asked.length).toBe(1)
  await give()
  const taken = await Promise.all([0, 1, 2, 3].map(() => ids.allocate()))
  expect([taken, asked.length]).toEqual([[0, 1, 2, 3], 1])
  expect([await ids.allocate(), asked.length]).toEqual([4, 2])
  await give()
  const more = await Promise.all(Array.from({ length: 10 }, () => ids.allocate()))
  expect(more).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13, 14])
})

test('who asks before a block is there waits for it, in order, over several blocks', async () => {
  const { asked, ids, give } = source()
  const taken = Promise.all(Array.from({ length: 25 }, () => ids.allocate()))
  for (let block = 0; block < 3; block++) {
    expect(asked.length).toBe(block + 1)
    await give()
  }
  expect(await taken).toEqual(Array.from({ length: 25 }, (_, at) => at))
})

test('a failed fetch is told to those who wait, and the next one tries again', async () => {
  const { asked, ids, give } = source()
  const waiting = [ids.allocate(), ids.allocate()]
  asked[0]!.reject(new Error('gone'))
  for (const each of waiting) await expect(each).rejects.toThrow('gone')
  const next = ids.allocate()
  expect(asked.length).toBe(2)
  asked[1]!.resolve({ first: 50, count: 10 })
  expect(await next).toBe(50)
  void give
})
