import { describe, expect, test } from 'vitest'
import { duration, waits } from './lagging.ts'
import { pictureOf } from './picture.ts'
import { readmeWith } from './readme.ts'
import type { Measures, Results } from './results.ts'
import { resultOf } from './sample.ts'

function round(alone: number, one: number, four: number): Measures {
  return Object.fromEntries(
    [
      ['tail alone', alone] as const,
      ['tail beside 1 cold reader', one] as const,
      ['tail beside 4 cold readers', four] as const,
    ].flatMap(([tail, ms]) => [
      [`${tail}, p50 ms`, ms],
      [`${tail}, p99 ms`, ms * 10],
    ]),
  )
}

const found: Results = {
  'throttled-disk': resultOf(
    [round(0.5, 0.6, 0.7), round(0.4, 100, 1000)],
    [round(0.1, 0.1, 0.1), round(9, 9, 9)],
    [round(1, 0.8, 0.9), round(0.2, 200, 2000)],
  ),
}

test('what a record waits is the median of the rounds', () => {
  expect(waits(found)).toEqual([
    { coldReaders: 0, ours: { p50: 0.5, p99: 5 }, theirs: { p50: 0.4, p99: 4 } },
    { coldReaders: 1, ours: { p50: 0.6, p99: 6 }, theirs: { p50: 100, p99: 1000 } },
    { coldReaders: 4, ours: { p50: 0.7, p99: 7 }, theirs: { p50: 1000, p99: 10_000 } },
  ])
})

describe('the picture', () => {
  const picture = pictureOf(found)
  /** Where the middle of a circle lies, by its class. */
  const at = (circle: string) =>
    [...picture.matchAll(new RegExp(`<circle class="${circle}" cx="([\\d.]+)"`, 'g'))].map(match =>
      Number(match[1]),
    )

  test('has one decade as wide as the next', () => {
    const [alone, , four] = at('theirs half')
    const [aloneAt99] = at('theirs')
    const decade = aloneAt99! - alone!
    expect(decade).toBeGreaterThan(50)
    // From 0.4 ms to 1,000 ms.
    expect(four! - alone!).toBeCloseTo(decade * Math.log10(2500), 0)
  })

  test('names the decades that hold all of it', () => {
    const names = [...picture.matchAll(/text-anchor="middle">([^<]+)</g)].map(match => match[1])
    expect(names).toEqual(['0.1 ms', '1 ms', '10 ms', '100 ms', '1 s', '10 s'])
  })

  test('says in words what it shows', () => {
    const words = /<desc id="desc">([^<]*)<\/desc>/.exec(picture)?.[1]
    expect(words).toContain(
      'Beside 4 cold readers: LogCluster half within 0.70 ms and 99 of 100 within 7.0 ms; ' +
        'Apache Kafka half within 1.0 s and 99 of 100 within 10 s.',
    )
    expect(picture).toMatch(/role="img" aria-labelledby="title desc"/)
  })

  test('has colours for a dark page', () => {
    expect(picture).toContain('@media (prefers-color-scheme: dark)')
  })

  test('is not drawn of nothing', () => {
    expect(() => pictureOf({})).toThrow('throttled-disk')
  })
})

describe('the README', () => {
  const [begin, end] = [
    '<!-- Written by `npm run bench -- versus-kafka` -->',
    '<!-- Until here. -->',
  ]

  test('gets the picture and its figures between the marks, and nothing else', () => {
    const once = readmeWith(found, `before\n${begin}\nold\n${end}\nbehind\n`)
    expect(once).toMatch(
      /^before\n<!-- .*\n\n!\[[^\]]+\]\(docs\/benchmarks\/lagging-reader.svg\)\n/,
    )
    expect(once.endsWith(`${end}\nbehind\n`)).toBe(true)
    expect(once).not.toContain('old\n')
    expect(once.replaceAll('\n', ' ')).toContain(
      '99 of 100 within 7.0 ms (alone: 0.50 ms and 5.0 ms)',
    )
    expect(readmeWith(found, once)).toBe(once)
  })

  test('without the marks is left alone', () => {
    expect(() => readmeWith(found, `${end}\n${begin}`)).toThrow('README.md lacks')
  })
})

test('a duration is said as readers say it', () => {
  expect([0.0449, 0.994, 0.996, 9.94, 9.96, 22.4, 999.4, 999.6, 3779].map(duration)).toEqual([
    '0.04 ms',
    '0.99 ms',
    '1.0 ms',
    '9.9 ms',
    '10 ms',
    '22 ms',
    '999 ms',
    '1.0 s',
    '3.8 s',
  ])
})
