import { expect, test } from 'vitest'
import { Trio } from '../../../test/helpers/trio.ts'

test('while the cluster is frozen nothing is written, whatever acks are asked for, and the refusal says why', async () => {
  const trio = await Trio.start()
  const before = await trio.append(1, 5, -1)
  trio.tell({ isFrozen: true })
  for (const acks of [-1, 1, 0]) {
    const { result } = await trio.append(1, 5, acks)
    expect(result).toMatchObject({ ok: false, error: 'NOT_ENOUGH_REPLICAS' })
    expect(result?.ok === false && result.message).toContain('The cluster is frozen')
  }
  expect(trio.of(1).log.endOffset).toBe(5)
  // What came before is copied, and acknowledged.
  for (const id of [2, 3, 2, 3]) await trio.fetch(id)
  expect(before.result).toMatchObject({ ok: true })
  trio.tell({ isFrozen: false })
  await trio.append(1, 5, 1)
  expect(trio.of(1).log.endOffset).toBe(10)
})
