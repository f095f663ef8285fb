import { Histogram, Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { DurationHistogram } from './durations.ts'

const name = 'logcluster_something_seconds'
const help = 'How long something took.'
const bounds = [0.001, 0.25, 5]

test('it tells what a histogram of prom-client tells', async () => {
  const [theirs, ours] = [new Registry(), new Registry()]
  const like = new Histogram({
    name,
    help,
    labelNames: ['api'],
    buckets: bounds,
    registers: [theirs],
  })
  const histogram = new DurationHistogram(name, help, 'api', bounds)
  ours.registerMetric(histogram)
  expect(await ours.metrics()).toBe(await theirs.metrics())
  const [fetch, produce, never] = ['Fetch', 'Produce', 'Never'].map(api => histogram.duration(api))
  for (const seconds of [0, 0.001, 0.0011, 0.25, 4, 5, 5.01, 90]) {
    fetch!.observe(seconds)
    like.labels('Fetch').observe(seconds)
  }
  produce!.observe(0.125)
  like.labels('Produce').observe(0.125)
  expect(never).toBeDefined()
  expect(await ours.metrics()).toBe(await theirs.metrics())
})
