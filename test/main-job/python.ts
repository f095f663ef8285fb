import { join } from 'node:path'
import { kitFolder } from '../../tools/clients.ts'
import { run } from '../helpers/run.ts'

interface Reading {
  readonly digest: string
  readonly recordCount: number
  readonly gapCount: number
}

/** Reads the topic with librdkafka, in another language. */
export async function python(
  address: string,
  topic: string,
  partitionCount: number,
): Promise<Reading> {
  const env = { PYTHONPATH: kitFolder('confluent-kafka') }
  const script = join(import.meta.dirname, 'read.py')
  const args = ['-B', script, address, topic, String(partitionCount)]
  const { stdout } = await run('python3', args, { env, timeoutMs: 600_000 })
  return JSON.parse(stdout) as Reading
}
