import { expect, test } from 'vitest'
import { EpochCache, epochBody, readEpochs, type EpochEntry } from './epoch-cache.ts'

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
  expect(cache().endOf(-1, 90)).toEqual({ epoch: -1, endOffset: -1 })
  expect(cache().endOf(-2, 90)).toEqual({ epoch: -2, endOffset: 10 })
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
  epochs.cutBefore(45)
  expect(epochs.entries).toEqual([
    { epoch: 5, startOffset: 45 },
    { epoch: 7, startOffset: 60 },
  ])
  const before = epochs.entries
  epochs.cutBefore(45)
  expect(epochs.entries).toEqual(before)
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

test('the checkpoint is written where it says something else, and again where writing it failed', async () => {
  const epochs = cache()
  const written: (readonly EpochEntry[])[] = []
  const write = async (entries: readonly EpochEntry[]) => void written.push(entries)
  const saved = async () => {
    written.length = 0
    await epochs.save(write)
    return written.length > 0
  }
  epochs.foundSaved(cache().entries)
  expect(await saved()).toBe(false)
  epochs.assign(5, 90)
  expect(await saved()).toBe(false)
  epochs.assign(9, 90)
  expect(await saved()).toBe(true)
  expect(written).toEqual([epochs.entries])
  expect(await saved()).toBe(false)
  epochs.cutBefore(45)
  expect(await saved()).toBe(true)
  epochs.restore(cache().entries)
  await expect(epochs.save(() => Promise.reject(new Error('full')))).rejects.toThrow('full')
  expect(await saved()).toBe(true)
  epochs.foundSaved(null)
  expect(await saved()).toBe(true)
})

test('a change while the checkpoint is written is saved by the next one', async () => {
  const epochs = cache()
  await epochs.save(async () => void epochs.assign(9, 90))
  const written: (readonly EpochEntry[])[] = []
  await epochs.save(async entries => void written.push(entries))
  expect(written).toEqual([epochs.entries])
})
