import { expect, test } from 'vitest'
import { createCodecs } from '../../src/broker/log/compression/codecs.ts'
import { withBroker } from '../helpers/broker.ts'
import { measuredAgain } from '../helpers/eventually.ts'
import { BrokerClient } from '../helpers/broker-client.ts'
import { bombBytesMax, nearlyBomb } from './bad-batches.ts'
import { sizeOf } from './process-size.ts'

/** What opens to 60 MiB is there thrice at most: as the addon made it, as it is handed over, as it is looked at. */
const heldMiBMax = 350
const bombCount = 8

test('batches that open to 60 MiB each are not there all at the same time', async () => {
  const bomb = await nearlyBomb(createCodecs({ soon: act => void setImmediate(act) }))
  const heldMiB = async (): Promise<number> => {
    let held = 0
    await withBroker({}, async broker => {
      using client = await BrokerClient.connect(broker.port, { timeoutMs: 60_000 })
      const configs = { 'cleanup.policy': 'compact', 'max.message.bytes': String(bombBytesMax) }
      await client.createTopics([{ name: 'looks', configs }])
      const before = sizeOf(broker.pid).residentMiB
      const answers = Array.from({ length: bombCount }, () => {
        return client.produce({ topic: 'looks', partition: 0 }, bomb)
      })
      for (const { errorCode } of await Promise.all(answers)) expect(errorCode).toBe(87)
      const { peakMiB } = sizeOf(broker.pid)
      console.log(`${bombCount} bombs: ${before} MiB before, ${peakMiB} at most`)
      held = peakMiB - before
    })
    return held
  }
  // A peak has what the collector had not come to yet: another broker's has it elsewhere, or the bombs all the same.
  await measuredAgain('MiB of bombs', heldMiB, held => held <= heldMiBMax)
}, 240_000)
