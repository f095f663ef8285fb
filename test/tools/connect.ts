import { deepEqual } from 'node:assert/strict'
import { join } from 'node:path'
import { freePort } from '../../tools/kafka.ts'
import { kitFolder } from '../../tools/clients.ts'
import { expectIn, fileOf, type Job, type Site, told, topics } from './job.ts'
import { appendLines, linesOf, Program, writeProperties } from './surroundings.ts'

const restarted =
  'lines of a file go through a topic into another file, each once, also over a restart of the worker'

export const connectJobs: readonly Job[] = [
  {
    tool: 'Kafka Connect',
    name: 'connect-standalone',
    proves: restarted,
    kit: 'surroundings',
    note: null,
    quick: false,
    run: standalone,
  },
  {
    tool: 'Kafka Connect',
    name: 'connect-distributed',
    proves: `${restarted}; its three topics are compacted`,
    kit: 'surroundings',
    note: 'replication factors of its topics are 1',
    quick: false,
    run: distributed,
  },
]

const converter = 'org.apache.kafka.connect.storage.StringConverter'
const topic = 'connect-lines'

function workerOf(site: Site, port: number): Record<string, string> {
  return {
    'bootstrap.servers': site.address,
    'key.converter': converter,
    'value.converter': converter,
    'offset.flush.interval.ms': '500',
    listeners: `http://127.0.0.1:${port}`,
    'plugin.path': join(kitFolder('surroundings'), 'lib/connect-file-4.3.1.jar'),
  }
}

function connectorsOf(site: Site): readonly (Record<string, string> & { name: string })[] {
  const file = 'org.apache.kafka.connect.file.FileStream'
  const [from, to] = [fileOf(site, 'in.txt'), fileOf(site, 'out.txt')]
  return [
    { name: 'source', 'connector.class': `${file}SourceConnector`, file: from, topic },
    { name: 'sink', 'connector.class': `${file}SinkConnector`, file: to, topics: topic },
  ]
}

/** Starts the worker twice, with more lines in between. */
async function throughRestart(site: Site, start: () => Promise<Program>): Promise<void> {
  const [from, to] = [fileOf(site, 'in.txt'), fileOf(site, 'out.txt')]
  const lines = Array.from({ length: 20 }, (_, at) => `line ${at}`)
  appendLines(from, lines.slice(0, 10))
  {
    await using worker = await start()
    await worker.until('the first lines', () => linesOf(to).length >= 10)
  }
  appendLines(from, lines.slice(10))
  {
    await using worker = await start()
    await worker.until('all lines', () => linesOf(to).length >= 20)
  }
  deepEqual(linesOf(to), lines)
}

async function standalone(site: Site): Promise<void> {
  const port = await freePort()
  const worker = writeProperties(site, 'worker.properties', {
    ...workerOf(site, port),
    'offset.storage.file.filename': fileOf(site, 'offsets'),
  })
  const files = connectorsOf(site).map(one => writeProperties(site, `${one.name}.properties`, one))
  const main = 'org.apache.kafka.connect.cli.ConnectStandalone'
  await throughRestart(site, () => Promise.resolve(new Program(main, [worker, ...files])))
}

async function distributed(site: Site): Promise<void> {
  const port = await freePort()
  const ofTopics = ['config', 'offset', 'status'].flatMap(what => [
    [`${what}.storage.topic`, `connect-${what}s`],
    [`${what}.storage.replication.factor`, '1'],
  ])
  const worker = writeProperties(site, 'worker.properties', {
    ...workerOf(site, port),
    'group.id': 'workers',
    ...Object.fromEntries(ofTopics),
  })
  let hasConnectors = false
  await throughRestart(site, async () => {
    const program = new Program('org.apache.kafka.connect.cli.ConnectDistributed', [worker])
    if (hasConnectors) return program
    for (const { name, ...config } of connectorsOf(site)) {
      const isTaken = (): Promise<boolean> =>
        fetch(`http://127.0.0.1:${port}/connectors/${name}/config`, {
          method: 'PUT',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ name, ...config }),
        }).then(
          ({ ok }) => ok,
          () => false,
        )
      await program.until(`the connector ${name}`, isTaken)
    }
    hasConnectors = true
    return program
  })
  for (const what of ['config', 'offset', 'status']) {
    const stdout = await told(site, topics, '--describe', '--topic', `connect-${what}s`)
    expectIn(stdout, 'cleanup.policy=compact')
  }
}
