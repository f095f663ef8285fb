import { expect, test } from 'vitest'
import { logConfig, logId, simWorld } from '../../test/helpers/logs.ts'
import { eventually } from '../../test/helpers/eventually.ts'
import { silentLogger } from '../../test/helpers/silent-logger.ts'
import { registered } from '../../test/metadata/brokers.ts'
import { DiskError } from '../env/env.ts'
import { deferred } from '../lib/deferred.ts'
import type { Answer, Command } from './cluster/controller/commands.ts'
import type { OpenedCluster } from './cluster/peer-service.ts'
import { defaultSettings } from './config/settings.ts'
import { MetadataImage } from './metadata/image.ts'
import { OwnDisk } from './own-disk.ts'

/** A disk whose next fsync fails, in a cluster of so many brokers; what is told, in order. */
async function failing({ brokers }: { readonly brokers: number }) {
  const told: unknown[] = []
  const answer = deferred<Answer>()
  const { env, disk } = simWorld()
  disk.mkdir('/data')
  const own = new OwnDisk({
    env,
    settings: { ...defaultSettings(), logDirs: '/data', nodeId: 0 },
    bootId: 'boot',
    logger: silentLogger,
    fatal: error => void told.push(error),
    openObjects: () => {
      throw new Error('nobody records disks here')
    },
    onWait: () => {},
  })
  await own.take()
  let image = MetadataImage.empty.apply({
    type: 'clusterCreated',
    clusterId: '8Jb3kPz1QmSx5rT0vW2yAg',
  })
  for (let id = 0; id < brokers; id++) image = image.apply(registered(id))
  const cluster = {
    image,
    brokerId: 0,
    registration: { before: null, now: 7 },
    ask: (command: Command) => {
      told.push(command)
      return answer.promise
    },
  }
  const directory = await own.open(cluster as unknown as OpenedCluster, {})
  disk.failNext({ operation: 'syncDirectory', code: 'EIO' })
  await expect(directory.openLog(logId(), logConfig())).rejects.toBeInstanceOf(DiskError)
  return { told, answer, directoryId: directory.identity.directoryId }
}

test('3.4: the others are told of a directory that failed, and only then the broker ends', async () => {
  const { told, answer, directoryId } = await failing({ brokers: 3 })
  expect(told).toEqual([{ type: 'failDirectory', brokerId: 0, brokerEpoch: 7, directoryId }])
  answer.resolve({ type: 'directoryFailed' })
  await eventually(
    'the end',
    () => told.length,
    count => count === 2,
  )
  expect(told[1]).toBeInstanceOf(DiskError)
})

test('it ends also where the controller, which it was itself, could not write that down', async () => {
  const { told, answer } = await failing({ brokers: 3 })
  answer.reject(new Error('the office ended'))
  await eventually(
    'the end',
    () => told.length,
    count => count === 2,
  )
  expect(told[1]).toBeInstanceOf(DiskError)
})

test('a broker alone has nobody to tell', async () => {
  const { told } = await failing({ brokers: 1 })
  await eventually(
    'the end',
    () => told.length,
    count => count === 1,
  )
  expect(told[0]).toBeInstanceOf(DiskError)
})
