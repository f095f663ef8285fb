import { describe, expect, test } from 'vitest'
import type { DiskFile } from '../../env/env.ts'
import { folioBytes, lagBytes, stepBytes, Trail, type Portion } from './trail.ts'

const mebibyte = 1024 * 1024
const recordsPerMebibyte = 100

/** Nobody looks into it. */
function fileOf(path: string): DiskFile {
  return { path } as unknown as DiskFile
}

const first = fileOf('0.log')
const second = fileOf('1.log')

interface Scan {
  readonly file?: DiskFile
  /** Bytes `[from, to)`, in fetches of `length`. */
  readonly from?: number
  readonly to: number
  readonly length?: number
  readonly hotFrom?: number
  /** Offset of the file's first byte. */
  readonly baseOffset?: number
  /** What the device delivered of the stream when a fetch came for `position`; all of it where left out. */
  readonly delivered?: (position: number) => number | null
}

/** What `trail` gives out while its reader goes through a file, and how far it was then. */
function scan(trail: Trail, of: Scan): (Portion & { readonly at: number })[] {
  const { file = first, from = 0, to, length = mebibyte, hotFrom = Infinity, baseOffset = 0 } = of
  const { delivered = position => position } = of
  const portions: (Portion & { readonly at: number })[] = []
  for (let position = from; position < to; position += length) {
    const offset = baseOffset + (position / mebibyte) * recordsPerMebibyte
    const range = { file, position, length: Math.min(length, to - position), offset, hotFrom }
    const found = trail.follow(range, delivered(position))
    portions.push(...found.map(portion => ({ ...portion, at: position })))
  }
  return portions
}

const spans = (portions: readonly Portion[]) =>
  portions.map(({ file, from, to }) => [file.path, from / mebibyte, to / mebibyte])

describe('the trail of a reader', () => {
  test('comes in whole folios, in steps, behind what its socket may still hold, and each byte once', () => {
    const portions = scan(new Trail(), { to: 64 * mebibyte })
    expect(portions.length).toBeGreaterThan(8)
    let end = 0
    for (const { from, to, at } of portions) {
      expect(from).toBe(end)
      expect(from % folioBytes).toBe(0)
      expect(to % folioBytes).toBe(0)
      expect(to - from).toBeGreaterThanOrEqual(stepBytes)
      expect(to).toBeLessThanOrEqual(at - lagBytes)
      end = to
    }
    expect(end).toBeGreaterThan(64 * mebibyte - lagBytes - stepBytes - folioBytes)
  })

  test('begins behind the folio that the reader came into in the middle', () => {
    const portions = scan(new Trail(), { from: 3 * mebibyte, to: 24 * mebibyte })
    expect(portions[0]).toMatchObject({ from: 4 * mebibyte, to: 8 * mebibyte })
  })

  test('counts how far the reader is by what it took, not by what it was promised last', () => {
    const trail = new Trail()
    expect(scan(trail, { to: 50 * mebibyte, length: 50 * mebibyte })).toEqual([])
    const next = scan(trail, { from: 50 * mebibyte, to: 51 * mebibyte })
    expect(spans(next)).toEqual([['0.log', 0, 42]])
  })

  test('goes on in the next file, and takes the end of the one before once the reader is away from it', () => {
    const trail = new Trail()
    const odd = 21 * mebibyte + 5000
    const here = scan(trail, { to: odd })
    expect(spans(here).at(-1)).toEqual(['0.log', 8, 12])
    const there = scan(trail, { file: second, to: 13 * mebibyte, baseOffset: 2200 })
    // The end goes beyond its last byte, and its last folio with it.
    expect(spans(there)).toEqual([
      ['0.log', 12, 16],
      ['0.log', 16, 20],
      ['0.log', 20, 22],
      ['1.log', 0, 4],
    ])
    expect(there[2]).toMatchObject({ at: 8 * mebibyte, fromOffset: 2000, toOffset: 2200 })
  })

  test('of files smaller than the lag goes file by file', () => {
    const trail = new Trail()
    const files = Array.from({ length: 8 }, (_, at) => fileOf(`${at}.log`))
    const portions = files.flatMap(file => scan(trail, { file, to: 3 * mebibyte }))
    expect(spans(portions)).toEqual(Array.from({ length: 5 }, (_, at) => [`${at}.log`, 0, 4]))
  })

  test('of a great many small files is bounded: the oldest are left to the kernel', () => {
    const trail = new Trail()
    const files = Array.from({ length: 100 }, (_, at) => fileOf(`${at}.log`))
    expect(files.flatMap(file => scan(trail, { file, to: 1000 }))).toEqual([])
  })

  test('is not broken by a range that is asked for twice', () => {
    const trail = new Trail()
    scan(trail, { to: 11 * mebibyte })
    scan(trail, { from: 10 * mebibyte, to: 11 * mebibyte })
    expect(spans(scan(trail, { from: 11 * mebibyte, to: 13 * mebibyte }))).toEqual([
      ['0.log', 0, 4],
    ])
  })

  test('does not hold what lies between two places for read', () => {
    const trail = new Trail()
    scan(trail, { to: 6 * mebibyte })
    const portions = scan(trail, { from: 40 * mebibyte, to: 61 * mebibyte })
    expect(spans(portions)).toEqual([
      ['0.log', 0, 4],
      ['0.log', 4, 6],
      ['0.log', 40, 44],
      ['0.log', 44, 48],
      ['0.log', 48, 52],
    ])
  })

  test('tells the offsets around a portion', () => {
    const portions = scan(new Trail(), { from: mebibyte, to: 32 * mebibyte, length: 3 * mebibyte })
    for (const { from, to, fromOffset, toOffset } of portions) {
      expect(fromOffset).toBeLessThanOrEqual((from / mebibyte) * recordsPerMebibyte)
      expect(toOffset).toBeGreaterThanOrEqual((to / mebibyte) * recordsPerMebibyte)
      expect(toOffset - fromOffset).toBeLessThanOrEqual(
        ((to - from) / mebibyte + 6) * recordsPerMebibyte,
      )
    }
  })

  test('tells what was appended lately', () => {
    const portions = scan(new Trail(), { to: 24 * mebibyte, hotFrom: 7 * mebibyte })
    expect(portions.map(({ isHot }) => isHot)).toEqual([false, true, true])
    const whole = new Trail()
    scan(whole, { to: 9 * mebibyte, hotFrom: 9 * mebibyte })
    const rest = scan(whole, { file: second, to: 9 * mebibyte })
    expect(rest.at(-1)).toMatchObject({ to: 10 * mebibyte, isHot: false })
  })

  test('tells how much of a portion the device delivered', () => {
    // The first 10 MiB were in memory.
    const delivered = (position: number) => Math.max(0, position - 10 * mebibyte)
    const portions = scan(new Trail(), { to: 33 * mebibyte, delivered })
    expect(portions.map(({ deliveredShare }) => deliveredShare)).toEqual([0, 0, 0.5, 1, 1, 1])
    const unknown = scan(new Trail(), { to: 16 * mebibyte, delivered: () => null })
    expect(unknown.map(({ deliveredShare }) => deliveredShare)).toEqual([1])
  })
})
