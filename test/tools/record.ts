/**
 * Types the commands of transcript.ts on three nodes of Apache Kafka, and keeps what it said for the replay:
 *
 *     node test/tools/record.ts          records anew
 *     node test/tools/record.ts --ours   prints what ours say that Kafka does not, and the other way round
 */
import { KafkaCluster } from '../helpers/kafka-cluster.ts'
import { BrokerCluster } from '../helpers/broker-cluster.ts'
import { differencesOf, readTranscript, typed, writeTranscript } from './transcripts.ts'
import { transcriptSettings } from './transcript.ts'

if (process.argv.includes('--ours')) {
  const ours = await typed(() => BrokerCluster.start(3, transcriptSettings))
  for (const { command, ...lines } of differencesOf(ours, readTranscript())) {
    console.log(`$ ${command}`)
    for (const line of lines.kafkas) console.log(`  - ${line}`)
    for (const line of lines.ours) console.log(`  + ${line}`)
  }
} else {
  writeTranscript(await typed(() => KafkaCluster.start(3, transcriptSettings)))
}
