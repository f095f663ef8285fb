import { expect, test } from 'vitest'
import { eventually, measuredAgain } from './eventually.ts'

test('what comes later is awaited, and given', async () => {
  let looks = 0
  expect(
    await eventually(
      'the third look',
      () => ++looks,
      at => at === 3,
    ),
  ).toBe(3)
  expect(looks).toBe(3)
})

test('what never comes is told with what was seen last', async () => {
  const never = eventually(
    'a line',
    () => ['other'],
    lines => lines.includes('wanted'),
    30,
  )
  await expect(never).rejects.toThrow(/^a line: not within 30 ms; last seen: \[ 'other' \]$/)
})

test('however late it is, there is one look', async () => {
  expect(
    await eventually(
      'the first look',
      () => 1,
      at => at === 1,
      -1,
    ),
  ).toBe(1)
})

test('a look that fails ends it', async () => {
  const failing = eventually('nothing', () => Promise.reject(new Error('planted')))
  await expect(failing).rejects.toThrow('planted')
})

test('a figure that noise spoiled is measured again', async () => {
  const figures = [9, 8, 1, 0]
  expect(
    await measuredAgain(
      'bytes',
      () => figures.shift()!,
      bytes => bytes < 5,
    ),
  ).toBe(1)
  expect(figures).toEqual([0])
})

test('a figure that is wrong each time fails with all that were seen', async () => {
  const wrong = measuredAgain(
    'bytes',
    () => 9,
    bytes => bytes < 5,
    3,
  )
  await expect(wrong).rejects.toThrow(/^bytes: out of bounds each time: 9, 9, 9$/)
})
