import { expect, test } from 'vitest'
import { EpochCache, epochBody, readEpochs } from './epoch-cache.ts'

const cache = () =>
  new EpochCache([
    { epoch: 2, startOffset: 10 },
    { epoch: 5, startOffset: 40 },
    { epoch: 7, startOffset: 60 },
  ])

test('G38: the end of an epoch, for every place an asked epoch can be at', () => {
  expect(cache().endOf(7, 90)).toEqual({ epoch: 7, endOffset: 90 })
  expect(cache().endOf(5, 90)).toEqual({ epoch: 5, endOffset: 60 })
  expect(cache().endOf(6, 90)).toEqual({ epoch: 5, endOffset: 60 })
  expect(cache().endOf(1, 90)).toEqual({ epoch: 1, endOffset: 10 })
  expect(cache().endOf(8, 90)).toEqual({ epoch: -1, endOffset: -1 })
  expect(new EpochCache().endOf(0, 90)).toEqual({ epoch: -1, endOffset: -1 })
})

test('an epoch that got no record goes when the next one begins at the same offset', () => {
  const epochs = cache()
  expect(epochs.assign(9, 60)).toBe(true)
  expect(epochs.assign(8, 70)).toBe(false)
  expect(epochs.entries.map(({ epoch }) => epoch)).toEqual([2, 5, 9])
})

test('epochs below the start of the log are forgotten, the one at the start begins there', () => {
  const epochs = cache()
  expect(epochs.cutBefore(45)).toBe(true)
  expect(epochs.entries).toEqual([
    { epoch: 5, startOffset: 45 },
    { epoch: 7, startOffset: 60 },
  ])
  expect(epochs.cutBefore(45)).toBe(false)
  expect(epochs.epochAt(59)).toBe(5)
  expect(epochs.epochAt(44)).toBe(-1)
})

test('a checkpoint that does not rise is not believed', () => {
  expect(readEpochs(epochBody(cache().entries))).toEqual(cache().entries)
  expect(
    readEpochs({
      entries: [
        [3, 5],
        [2, 9],
      ],
    }),
  ).toBe(null)
  expect(
    readEpochs({
      entries: [
        [3, 5],
        [4, 5],
      ],
    }),
  ).toBe(null)
  expect(readEpochs({ entries: [[3, '5']] })).toBe(null)
  expect(readEpochs(null)).toBe(null)
})
