import { execFileSync, spawn } from 'node:child_process'
import { join } from 'node:path'
import { kitFolder, whyMissing } from '../../../tools/clients.ts'
import { type Bench, inRounds } from '../bench.ts'
import type { Measures } from '../results.ts'
import { processorSeconds } from '../../process-cost.ts'
import { createTopics, type Rival } from '../rival.ts'
import type { Scenario } from '../scenario.ts'

const consumers = 20
const partitions = 1000
const idleSeconds = 30
const topic = 'followed'

export const idleConsumers: Scenario = {
  name: 'idle-consumers',
  title: 'Twenty consumers of a thousand partitions, where nothing comes',
  text: `${consumers} consumers of Apache Kafka's Java client in one process, each assigned all ${partitions.toLocaleString('en')} partitions of a topic, follow its end for
${idleSeconds} s, in which nothing is produced: what it costs to say so. A client with incremental fetch sessions (KIP-227) asks for what
changed, where the broker has them.`,
  goals: [{ measure: 'processor seconds', of: 'ratio', most: 0.5 }],
  whyNot: () => whyMissing('java'),
  run: (bench, rounds) =>
    bench.withBoth(async rivals => {
      const program = compile(bench)
      for (const rival of Object.values(rivals)) await createTopics(rival, [topic], partitions)
      return await inRounds(Math.min(rounds, 2), side => measure(bench, rivals[side], program))
    }),
}

/** Returns the class path that it stands in. */
function compile(bench: Bench): string {
  const libraries = join(kitFolder('java'), 'lib', '*')
  const source = join(import.meta.dirname, '../IdleConsumers.java')
  execFileSync('javac', ['-cp', libraries, '-d', bench.folder, source])
  return `${bench.folder}:${libraries}`
}

async function measure(bench: Bench, rival: Rival, classPath: string): Promise<Measures> {
  const logging = `-Dlog4j2.configurationFile=${join(kitFolder('java'), 'log4j2.properties')}`
  const java = ['-Xmx512m', '-XX:+UseSerialGC', logging, '-cp', classPath, 'IdleConsumers']
  const client = spawn('java', [...java, rival.address, topic, String(consumers)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exited = new Promise<number | null>(resolve => client.once('exit', resolve))
  const ready = new Promise<'ready'>(resolve => client.stdout.once('data', () => resolve('ready')))
  try {
    const began = await Promise.race([ready, exited])
    if (began !== 'ready') throw new Error(`the consumers of ${rival.name} ended with ${began}`)
    const [before, ofClient] = [processorSeconds(rival.pid), processorSeconds(client.pid!)]
    await bench.rest(idleSeconds)
    return {
      'processor seconds': processorSeconds(rival.pid) - before,
      'processor seconds of the clients': processorSeconds(client.pid!) - ofClient,
    }
  } finally {
    client.stdin.end()
    await exited
  }
}
