import { expect, test } from 'vitest'
import { SimClock } from '../../sim/clock.ts'
import { SimDisk } from '../../sim/disk.ts'
import { utf8 } from '../lib/bytes.ts'
import { rackFromFile } from './rack-file.ts'

class World {
  readonly clock = new SimClock()
  readonly disk = new SimDisk()
  readonly waits: string[] = []
  isGone = false

  write(text: string): void {
    const file = this.disk.open('/rack', 'create')
    file.write(0, [utf8(text)])
    file.close()
  }

  read(): Promise<string> {
    return rackFromFile({
      disk: this.disk,
      clock: this.clock,
      path: '/rack',
      onWait: message => this.waits.push(message),
      isGone: () => this.isGone,
    })
  }
}

test('a rack that is known is taken at once', async () => {
  const world = new World()
  world.write('zone-a\n')
  expect(await world.read()).toBe('zone-a')
  expect(world.waits).toEqual([])
})

test('one that is not is waited for, and why is told once', async () => {
  const world = new World()
  const reading = world.read()
  await world.clock.run(5_000)
  expect(world.waits).toEqual(['Waits for its rack, which is to come in /rack.'])
  world.write('zone-b')
  await world.clock.run(250)
  expect(await reading).toBe('zone-b')
})

test('whoever is stopped waits no longer', async () => {
  const world = new World()
  const reading = world.read()
  const outcome = expect(reading).rejects.toThrow('stopped')
  world.isGone = true
  await world.clock.run(250)
  await outcome
})
