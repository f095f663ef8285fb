/**
 * Types the commands of transcript.ts on three nodes of Apache Kafka, and keeps what it said for the replay:
 *
 *     node test/tools/record.ts          records anew
 *     node test/tools/record.ts --ours   prints what ours say that Kafka does not, and the other way round
 */
import { KafkaCluster } from '../helpers/kafka-cluster.ts'
import { BrokerCluster } from '../helpers/broker-cluster.ts'
import { differencesOf, readTranscript, typeOn, writeTranscript } from './transcripts.ts'
import { transcriptSettings } from './transcript.ts'

if (process.argv.includes('--ours')) {
  await using cluster = await BrokerCluster.start(3, transcriptSettings)
  for (const { command, ours, kafkas } of differencesOf(await typeOn(cluster), readTranscript())) {
    console.log(`$ ${command}`)
    for (const line of kafkas) console.log(`  - ${line}`)
    for (const line of ours) console.log(`  + ${line}`)
  }
} else {
  await using cluster = await KafkaCluster.start(3, transcriptSettings)
  writeTranscript(await typeOn(cluster))
}
