import { expect, test } from 'vitest'
import { SimDisk } from '../../sim/disk.ts'
import { ScriptedNetwork } from '../../test/helpers/scripted-network.ts'
import { silentLogger } from '../../test/helpers/silent-logger.ts'
import type { Env, ListenOptions } from '../env/env.ts'
import { realClock } from '../env/real/clock.ts'
import { realRandom } from '../env/real/random.ts'
import { replicaFetchersMax } from './config/replication-settings.ts'
import { defaultSettings } from './config/settings.ts'
import { PrivateListener, type PrivateListenerOptions } from './private-listener.ts'
import { Metrics } from './telemetry/metrics.ts'

type Changes = Parameters<typeof defaultSettings>[0]

function start(settings: Changes, network: unknown): Promise<PrivateListener | null> {
  const env = { clock: realClock, random: realRandom, disk: new SimDisk(), network }
  const options = {
    env: env as unknown as Env,
    settings: defaultSettings({ privateCredentialsDir: '/secret', ...settings }),
    metrics: new Metrics(),
    logger: silentLogger,
  }
  return PrivateListener.start(options as unknown as PrivateListenerOptions)
}

/** With what the network is asked to listen, by these settings. */
async function asked(settings: Changes): Promise<ListenOptions> {
  const { promise, resolve, reject } = Promise.withResolvers<ListenOptions>()
  const listen = (options: ListenOptions): Promise<never> => {
    resolve(options)
    return Promise.reject(new Error('heard'))
  }
  await start(settings, { listen }).catch(reject)
  return promise
}

test('what brokers send one another waits for no memory that requests of clients have taken', async () => {
  const small = { queuedMaxRequestBytes: 200_000_000, socketRequestMaxBytes: 104_857_600 }
  const { host, port, requestMemoryMax, frameSizeMax } = await asked({
    ...small,
    privateListener: '127.0.0.2:7001',
  })
  expect({ host, port }).toEqual({ host: '127.0.0.2', port: 7001 })
  expect(requestMemoryMax).toBe(Infinity)
  expect(frameSizeMax).toBe(8 * 1_048_576)
})

test.each([
  ['[::1]:7001', '::1'],
  [':7001', ''],
])('the place %s is understood', async (privateListener, host) => {
  expect(await asked({ privateListener })).toMatchObject({ host, port: 7001 })
})

test('a hundred brokers with as many fetchers as they may have leave places for everything else', async () => {
  const network = new ScriptedNetwork()
  const listener = (await start({ privateListener: '127.0.0.2:7001' }, network))!
  const others = Array.from({ length: 99 }, (_, at) => `10.0.0.${at}`)
  const turnedAway = (count: number) =>
    others
      .flatMap(host => Array.from({ length: count }, () => network.dial(7001, host)))
      .filter(client => client === null).length
  expect(turnedAway(replicaFetchersMax)).toBe(0)
  // Lanes to a controller, the question for backlogs, and what comes and goes.
  expect(turnedAway(8)).toBe(0)
  expect(network.dial(7001, '10.0.1.1')).not.toBe(null)
  await listener.stop()
})
