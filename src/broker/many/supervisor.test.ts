import { expect, test } from 'vitest'
import { SimClock } from '../../../sim/clock.ts'
import { type ChildEvents, Supervisor } from './supervisor.ts'

/** Children that do what they are told, and what happened. */
class World {
  readonly clock = new SimClock()
  readonly said: string[] = []
  readonly heard: string[] = []
  readonly running: (ChildEvents | null)[] = []
  welcomes = 0
  exitCode: number | null = null
  readonly supervisor: Supervisor

  constructor(count: number) {
    this.supervisor = new Supervisor({
      clock: this.clock,
      count,
      start: (id, events) => {
        this.heard.push(`start ${id}`)
        this.running[id] = events
        return {
          pid: 100 + id,
          stop: () => void this.heard.push(`stop ${id}`),
          kill: () => void this.heard.push(`kill ${id}`),
        }
      },
      say: sentence => this.said.push(sentence),
      welcome: () => this.welcomes++,
      end: code => (this.exitCode = code),
    })
    this.supervisor.start()
  }

  ready(id: number): void {
    this.running[id]!.ready({ listeners: [`127.0.0.1:${9092 + id}`], http: null })
  }

  end(id: number, code: number | null = null, signal: string | null = null): void {
    const events = this.running[id]!
    this.running[id] = null
    events.ended(code, signal)
  }

  /** What was heard since the last time. */
  news(): string[] {
    return this.heard.splice(0)
  }
}

test('a welcome comes once, when all serve', async () => {
  const world = new World(3)
  for (const id of [0, 2]) world.ready(id)
  expect(world.welcomes).toBe(0)
  world.ready(1)
  world.end(1, null, 'SIGKILL')
  await world.clock.run(5_000)
  world.ready(1)
  expect(world.welcomes).toBe(1)
})

test('a broker that dies starts again within five seconds, and it is said how it ended', async () => {
  const world = new World(3)
  for (const id of [0, 1, 2]) world.ready(id)
  world.news()
  world.end(1, null, 'SIGKILL')
  expect(world.said).toEqual(['Broker 1 ended by SIGKILL. It starts again in 0.5 s.'])
  await world.clock.run(500)
  expect(world.news()).toEqual(['start 1'])
})

test('one that dies before it serves is tried again later and later, and at least every four seconds', async () => {
  const world = new World(1)
  const delays: number[] = []
  for (let count = 0; count < 6; count++) {
    world.news()
    world.end(0, 1)
    let delayMs = 0
    while (world.heard.length === 0) {
      await world.clock.run(100)
      delayMs += 100
    }
    delays.push(delayMs)
  }
  expect(delays).toEqual([1_000, 2_000, 4_000, 4_000, 4_000, 4_000])
  expect(world.said[0]).toMatch(/with exit code 1 before it served; its last lines say why/)
  world.ready(0)
  world.end(0, 1)
  expect(world.said.at(-1)).toBe('Broker 0 ended with exit code 1. It starts again in 0.5 s.')
})

test('a stop takes the brokers one after the other, the last one first, and starts none again', async () => {
  const world = new World(3)
  for (const id of [0, 1, 2]) world.ready(id)
  world.news()
  world.supervisor.stop()
  expect(world.news()).toEqual(['stop 2'])
  // One that dies meanwhile does not hurry the one that stops.
  world.end(0, null, 'SIGKILL')
  expect(world.news()).toEqual([])
  world.end(2, 0)
  expect(world.news()).toEqual(['stop 1'])
  world.end(1, 0)
  await world.clock.run(60_000)
  expect([world.exitCode, world.news()]).toEqual([0, []])
})

test('one that does not stop is killed after a minute, and all are at the second wish', async () => {
  const world = new World(2)
  world.news()
  world.supervisor.stop()
  await world.clock.run(60_000)
  expect(world.news()).toEqual(['stop 1', 'kill 1'])
  expect(world.said).toEqual(['Broker 1 did not stop within 60 s, and is killed.'])
  world.supervisor.stop()
  expect(world.news()).toEqual(['kill 0', 'kill 1'])
})

test('settings that cannot be used end all of them, with the exit code that says so', () => {
  const world = new World(2)
  world.news()
  world.end(0, 78)
  expect(world.said[0]).toMatch(/Broker 0 ended with exit code 78: its settings cannot be used/)
  expect(world.news()).toEqual(['stop 1'])
  world.end(1, 0)
  expect(world.exitCode).toBe(78)
})

test('a stop between the end of a broker and its next start lets it rest', async () => {
  const world = new World(1)
  world.ready(0)
  world.end(0, null, 'SIGKILL')
  world.news()
  world.supervisor.stop()
  await world.clock.run(10_000)
  expect([world.exitCode, world.news()]).toEqual([0, []])
})
