import { expect, test } from 'vitest'
import { SimDisk } from '../../sim/disk.ts'
import { silentLogger } from '../../test/helpers/silent-logger.ts'
import type { Env, ListenOptions } from '../env/env.ts'
import { realClock } from '../env/real/clock.ts'
import { realRandom } from '../env/real/random.ts'
import { defaultSettings } from './config/settings.ts'
import { PrivateListener, type PrivateListenerOptions } from './private-listener.ts'
import { Metrics } from './telemetry/metrics.ts'

/** With what the network is asked to listen, by these settings. */
async function asked(settings: Parameters<typeof defaultSettings>[0]): Promise<ListenOptions> {
  const { promise, resolve, reject } = Promise.withResolvers<ListenOptions>()
  const listen = (options: ListenOptions): Promise<never> => {
    resolve(options)
    return Promise.reject(new Error('heard'))
  }
  const env = { clock: realClock, random: realRandom, disk: new SimDisk(), network: { listen } }
  const options = {
    env: env as unknown as Env,
    settings: defaultSettings({ privateCredentialsDir: '/secret', ...settings }),
    metrics: new Metrics(),
    logger: silentLogger,
  }
  await PrivateListener.start(options as unknown as PrivateListenerOptions).catch(reject)
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
