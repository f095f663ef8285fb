import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../../test/helpers/eventually.ts'
import { InProcessBroker } from '../../../test/helpers/in-process.ts'
import {
  findCoordinator,
  incrementalAlterConfigs,
  offsetCommit,
} from '../../broker/wire/messages/index.ts'
import type { BrokerClient } from '../../../test/helpers/broker-client.ts'
import { exitCodes } from '../../lib/exit-codes.ts'
import { runExport, runImport } from './commands.ts'
import { documentText, parseDocument, type ClusterDocument } from './document.ts'
import { planImport } from './import-plan.ts'
import { readExportWish, readImportWish } from './wish.ts'

const offset = (partition: number, at: number) => {
  return { topic: 'orders', partition, offset: at, metadata: '' }
}
const orders = {
  name: 'orders',
  partitions: 3,
  replicationFactor: 1,
  configs: { 'retention.ms': '5000' },
}
const content = {
  cluster: { clusterId: 'c', brokers: [{ id: 1, rack: null }], configs: {} },
  topics: [orders],
  groups: [{ group: 'billing', offsets: [offset(0, 7), offset(2, 9)] }],
}
const text = documentText({ exportedAt: '2026-11-28T08:00:00Z', ...content })

describe('the document', () => {
  test('is read as it was written', () => {
    expect(parseDocument(text)).toMatchObject(content)
  })

  test.each([
    ['{', 'It is no JSON'],
    ['[]', 'It has no version, and this program reads logcluster.dev/export-v1.'],
    [text.replace('export-v1', 'export-v2'), 'It has the version logcluster.dev/export-v2'],
    [text.replace('"partitions": 3', '"partitions": 0'), 'topics.0.partitions: '],
    [text.replace('"offset": 7', '"offset": -7'), 'groups.0.offsets.0.offset: '],
    [text.replace('"configs": {}', '"config": {}'), 'cluster'],
    [text.replace('"partition": 2', '"partition": 0'), 'It has orders-0 of group billing twice.'],
  ])('where it is another the place is named: %#', (given, problem) => {
    expect(parseDocument(given)).toEqual(expect.stringContaining(problem))
  })
})

describe('an import', () => {
  const nothing = { topics: [], groups: [] }

  test('makes what is not there', () => {
    expect(planImport(content, nothing)).toMatchObject({
      create: [orders],
      commit: content.groups,
      refusals: [],
    })
  })

  test('keeps what is the same', () => {
    expect(planImport(content, content)).toEqual({
      create: [],
      keptTopicCount: 1,
      keptOffsetCount: 2,
      commit: [],
      refusals: [],
    })
  })

  test('goes on with one that was interrupted', () => {
    const groups = [{ group: 'billing', offsets: [offset(0, 7)] }]
    expect(planImport(content, { ...content, groups }).commit).toEqual([
      { group: 'billing', offsets: [offset(2, 9)] },
    ])
  })

  test.each([
    [
      { topics: [{ ...orders, partitions: 4 }], groups: [] },
      'Topic orders is there already, with 4 partitions and not 3.',
    ],
    [
      { topics: [{ ...orders, replicationFactor: 3 }], groups: [] },
      'Topic orders is there already, with replication factor 3 and not 1.',
    ],
    [
      { topics: [{ ...orders, configs: {} }], groups: [] },
      'Topic orders is there already, with another retention.ms: (none) and not 5000.',
    ],
    [
      { topics: [], groups: [{ group: 'billing', offsets: [offset(0, 8)] }] },
      'orders-0 of group billing is at offset 8 already, and not at 7.',
    ],
  ])('overwrites nothing: %#', (found, sentence) => {
    expect(planImport(content, found).refusals).toEqual([sentence])
  })

  test('refuses offsets of what is nowhere', () => {
    const groups = [{ group: 'g', offsets: [offset(3, 1), { ...offset(0, 1), topic: 'payments' }] }]
    expect(planImport({ ...content, groups }, nothing).refusals).toEqual([
      'orders-3 of group g: the topic has 3 partitions.',
      'payments-0 of group g: the topic is neither in the document nor in the cluster.',
    ])
  })
})

test.each([
  [readExportWish(['--json']), '--json is no option'],
  [readExportWish(['a:1', 'b:2']), 'takes one list of addresses'],
  [readImportWish([]), 'needs the file'],
  [readImportWish(['f', 'a:1', 'b:2']), 'a file and one list'],
  [readImportWish(['f', '--force']), '--force is no option'],
])('words that mean nothing are refused: %#', (wish, problem) => {
  expect(wish).toEqual(expect.stringContaining(problem))
})

describe('a cluster', () => {
  let from: InProcessBroker
  let to: InProcessBroker
  let folder: string

  beforeAll(async () => {
    from = await InProcessBroker.start()
    const client = await from.connect()
    await client.createTopics([
      { name: 'orders', partitions: 3, configs: { 'retention.ms': '5000' } },
      { name: 'payments', partitions: 1 },
    ])
    await commit(client, 'billing', { 0: 7, 2: 9 })
    await commit(client, 'audit', { 1: 0 })
    const configs = [{ name: 'log.retention.ms', configOperation: 0, value: '9000' }]
    const resources = [{ resourceType: 4, resourceName: '', configs }]
    await client.request(incrementalAlterConfigs, 1, { resources, validateOnly: false })
  })

  afterAll(() => from?.[Symbol.asyncDispose]())

  beforeEach(async () => {
    to = await InProcessBroker.start()
    folder = mkdtempSync(join(tmpdir(), 'logcluster-document-'))
  })

  afterEach(async () => {
    await to[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })

  async function commit(client: BrokerClient, groupId: string, at: Record<number, number>) {
    const partitions = Object.entries(at).map(([index, committedOffset]) => {
      return { partitionIndex: Number(index), committedOffset, committedMetadata: 'mine' }
    })
    const topics = [{ name: 'orders', partitions }]
    const attempt = async (): Promise<boolean> => {
      await client.request(findCoordinator, 6, {
        key: '',
        keyType: 0,
        coordinatorKeys: [groupId],
      })
      const answer = await client.request(offsetCommit, 8, { groupId, memberId: '', topics })
      return answer.topics[0]!.partitions.every(({ errorCode }) => errorCode === 0)
    }
    await eventually('the offsets are committed', attempt, isDone => isDone)
  }

  const addressOf = ({ broker }: InProcessBroker): string =>
    `127.0.0.1:${broker.listeners[0]!.port}`

  async function said(
    run: typeof runExport,
    args: readonly string[],
  ): Promise<{ code: number; text: string }> {
    const lines: string[] = []
    const say = (line: string): void => void lines.push(line)
    const code = await run(args, { out: say, err: say })
    return { code, text: lines.join('\n') }
  }

  /** A file with that document. */
  function file(document: string): string {
    const path = join(folder, 'export.json')
    writeFileSync(path, document)
    return path
  }

  const exported = async (broker: InProcessBroker): Promise<ClusterDocument> =>
    parseDocument((await said(runExport, [addressOf(broker)])).text) as ClusterDocument

  test('is exported with its topics, what was given to them, and the offsets of its groups, in order', async () => {
    const { version, cluster, topics, groups } = await exported(from)
    expect(version).toBe('logcluster.dev/export-v1')
    expect(cluster.configs).toEqual({ 'log.retention.ms': '9000' })
    expect(topics).toEqual([orders, { ...orders, name: 'payments', partitions: 1, configs: {} }])
    const own = (partition: number, at: number) => ({ ...offset(partition, at), metadata: 'mine' })
    expect(groups).toEqual([
      { group: 'audit', offsets: [own(1, 0)] },
      { group: 'billing', offsets: [own(0, 7), own(2, 9)] },
    ])
  })

  test('has after an import what the document has, and a second import does nothing', async () => {
    const document = await exported(from)
    const path = file(JSON.stringify(document))
    expect(await said(runImport, [path, addressOf(to)])).toEqual({
      code: exitCodes.done,
      text: 'Topics made: 2, there already: 0. Offsets committed: 3, there already: 0.',
    })
    const { topics, groups } = await exported(to)
    expect({ topics, groups }).toEqual({ topics: document.topics, groups: document.groups })
    expect((await said(runImport, [path, addressOf(to)])).text).toBe(
      'Topics made: 0, there already: 2. Offsets committed: 0, there already: 3.',
    )
  })

  test('is left as it is where anything would be overwritten, or cannot be made', async () => {
    const client = await to.connect()
    await client.createTopics([{ name: 'payments', partitions: 2 }])
    const document = await exported(from)
    const refused = await said(runImport, [file(JSON.stringify(document)), addressOf(to)])
    expect(refused).toEqual({
      code: exitCodes.failed,
      text: 'Topic payments is there already, with 2 partitions and not 1.',
    })
    const [first] = document.topics
    const many = {
      ...document,
      topics: [first!, { ...first!, name: 'wide', replicationFactor: 3 }],
    }
    const unmade = await said(runImport, [file(JSON.stringify(many)), addressOf(to)])
    expect(unmade.text).toContain('Topic wide: ')
    expect((await exported(to)).topics.map(({ name }) => name)).toEqual(['payments'])
  })

  test('gets its topics alone where that is asked for', async () => {
    const path = file(JSON.stringify(await exported(from)))
    await said(runImport, [path, addressOf(to), '--topics-only'])
    expect((await exported(to)).groups).toEqual([])
  })
})
