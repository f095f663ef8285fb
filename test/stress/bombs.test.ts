import { expect, test } from 'vitest'
import { createCodecs } from '../../src/broker/log/compression/codecs.ts'
import { withBroker } from '../helpers/broker.ts'
import { WireClient } from '../helpers/wire-client.ts'
import { bombBytesMax, bombs, nearlyBomb } from './bad-batches.ts'
import { settledSize, sizeOf } from './process-size.ts'

test('bombs of each codec leave nothing behind, however many they are', async () => {
  const codecs = createCodecs({ soon: act => void setImmediate(act) })
  const all = [...(await bombs(codecs)).values(), await nearlyBomb(codecs)]
  await withBroker({}, async broker => {
    using client = await WireClient.connect(broker.port, { timeoutMs: 60_000 })
    const configs = { 'cleanup.policy': 'compact', 'max.message.bytes': String(bombBytesMax) }
    await client.createTopics([{ name: 'looks', configs }])
    const before = sizeOf(broker.pid).residentMiB
    for (let time = 0; time < 10; time++) {
      const answers = all.map(batch => client.produce({ topic: 'looks', partition: 0 }, batch))
      for (const { errorCode } of await Promise.all(answers)) expect(errorCode).toBe(87)
    }
    const isBack = ({ residentMiB }: { residentMiB: number }) => residentMiB <= before + 64
    const after = await settledSize(broker.pid, isBack, 60_000)
    console.log(`Bombs: ${before} MiB before, ${after.residentMiB} after, ${after.peakMiB} at most`)
    expect(after.residentMiB).toBeLessThanOrEqual(before + 64)
  })
}, 120_000)
