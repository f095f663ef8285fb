import { expect, test } from 'vitest'
import { changed } from '../../sim/changed.ts'
import { World } from '../../sim/cluster/world.ts'
import { decodeBatch } from '../../src/broker/metadata/records.ts'
import type { Disk, Env } from '../../src/env/env.ts'
import { newTurn } from './turn.ts'

/** Follows no metadata log: what it is told does not become durable in its copy. */
function withoutCopy(env: Env): Env {
  const open: Disk['open'] = (path, mode) => {
    const file = env.disk.open(path, mode)
    const isCopy = path.endsWith('metadata.copy')
    return changed(file, isCopy ? { sync: () => new Promise<void>(() => {}) } : {})
  }
  return { ...env, disk: changed(env.disk, { open }) }
}

test('a broker that is killed when it is registered, and before the metadata log has told it so, has lost nothing (3.1)', async () => {
  let isStuck = false
  const world = new World({
    seed: 946,
    nodeCount: 3,
    turn: newTurn(),
    settings: { clusterSize: 3, metadataDir: '/shared', defaultReplicationFactor: 3 },
    changeEnv: ({ id }, env) => (isStuck && id === 2 ? withoutCopy(env) : env),
  })
  const node = world.nodes[2]!
  const registrations = (): number =>
    world.medium.records
      .flatMap(({ payload }) => decodeBatch(payload))
      .filter(record => record.type === 'brokerRegistered' && record.brokerId === 2).length
  for (const each of world.nodes) each.start()
  expect(await world.until(() => world.nodes.every(({ isRunning }) => isRunning), 60)).toBe(true)
  isStuck = true
  node.kill()
  expect(await world.until(() => registrations() === 2, 60)).toBe(true)
  await world.run(1)
  expect(node.state).toBe('starting')
  isStuck = false
  node.kill()
  expect(await world.until(() => node.isRunning, 60)).toBe(true)
  expect(node.broker!.status.startClass).toBe('B')
  expect(world.failures).toEqual([])
})
