import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../../helpers/eventually.ts'
import { truthful } from '../truth-checker.ts'
import { longMs, Several } from './several.ts'
import { describeOnNodes, sharedCluster } from './shared.ts'

const orders = new Several('outage-of-three')
const outageSeconds = Number(process.env['OUTAGE_SECONDS'] ?? 90)

describeOnNodes('three brokers under load whose API server is away', () => {
  beforeAll(() => orders.begin())

  afterAll(() => orders.remove(), longMs)

  test(
    'fail no request, change no leader and restart nobody',
    { timeout: (outageSeconds + 300) * 1_000 },
    async () => {
      const cluster = sharedCluster()
      const { plane } = cluster
      const truth = orders.truth()
      await eventually('records before', () => truth.succeeded.fetch >= 10)
      const [before, leaders] = [await orders.starts(), await orders.leaderEpochs()]
      const failed = { ...truth.failed }
      await plane.apiServer.stop()
      await sleep(outageSeconds * 1_000)
      expect(truth.failed).toEqual(failed)
      expect(await orders.leaderEpochs()).toEqual(leaders)
      await plane.apiServer.start()
      await cluster.untilApiServerIsReached()
      // The operator, and the controller with its store, are at work again.
      await orders.makeTopic('after', 6)
      await orders.untilReplicated()
      await orders.until('Stable', 'True Stable')
      const report = await truth.stop()
      console.log(`After ${outageSeconds} s without an API server:`, JSON.stringify(report))
      truthful(report, { longestWaitMsMax: 2_000 })
      expect(report.failed).toEqual(failed)
      expect(await orders.leaderEpochs()).toEqual(expect.arrayContaining([...leaders]))
      expect(await orders.starts()).toEqual(before)
    },
  )
})
