/**
 * One member of the group that reads the main job: `member.ts ADDRESS TOPIC GROUP NAME FILE`. What it has read is
 * in FILE before it is committed, so that a kill at any moment loses nothing that was committed.
 */
import { openSync, writeSync } from 'node:fs'
import { Kafka, logLevel, type EachBatchPayload } from 'kafkajs'
import { encodeSeen } from './seen-file.ts'

const [address, topic, group, name, path] = process.argv.slice(2)
if (!address || !topic || !group || !name || !path) throw new Error('ADDRESS TOPIC GROUP NAME FILE')

const file = openSync(path, 'a')
const kafka = new Kafka({ clientId: name, brokers: [address], logLevel: logLevel.NOTHING })
const consumer = kafka.consumer({
  groupId: group,
  sessionTimeout: 6000,
  heartbeatInterval: 500,
  maxBytesPerPartition: 1024 * 1024,
  maxWaitTimeInMs: 100,
})
await consumer.connect()
await consumer.subscribe({ topic, fromBeginning: true })
await consumer.run({ autoCommitThreshold: 1, eachBatch })

process.on('SIGTERM', () => {
  void consumer.disconnect().then(() => process.exit(0))
})

/** kafkajs commits a batch when this has returned. */
function eachBatch({ batch }: EachBatchPayload): Promise<void> {
  writeSync(
    file,
    Buffer.concat(
      batch.messages.map(({ offset, key, value }) =>
        encodeSeen({ partition: batch.partition, offset: Number(offset), key, value }),
      ),
    ),
  )
  return Promise.resolve()
}
