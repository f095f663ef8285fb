import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BrokerClient } from '../../helpers/broker-client.ts'
import { eventually } from '../../helpers/eventually.ts'
import { WireGroup } from '../../helpers/wire-groups.ts'
import { runPlugin } from '../plugin.ts'
import { Filling } from './filling.ts'
import { longMs, Several, timed } from './several.ts'
import { describeOnNodes, sharedAccess, sharedCluster } from './shared.ts'

const partitions = 12
const batches = 4
const orders = new Several('adoption')
const filling = new Filling(orders, 'many')
const folder = mkdtempSync(join(tmpdir(), 'logcluster-adoption-'))

/** `kubectl logcluster`, as a person runs it. */
async function logcluster(of: Several, ...args: readonly string[]): Promise<string> {
  return (await runPlugin(sharedAccess().plane, of.namespace, args)).stdout
}

/** The document of a cluster, without what differs each time. */
async function exported(of: Several, name: string): Promise<Record<string, unknown>> {
  const output = join(folder, name)
  await logcluster(of, 'report', 'orders', '--export', `--output=${output}`)
  const { exportedAt, ...rest } = JSON.parse(
    readFileSync(join(output, 'export.json'), 'utf8'),
  ) as Record<string, unknown>
  expect(exportedAt).toBeDefined()
  return rest
}

/** Whoever coordinates the group takes the offsets; the others say that they do not. */
async function commit(): Promise<void> {
  const offsets = Array.from({ length: partitions }, (_, partition) => {
    return { topic: 'many', partition, offset: BigInt(10 + partition) as never, metadata: 'read' }
  })
  await eventually('offsets that are committed', async () => {
    using first = await orders.connect()
    const { brokers } = await first.metadata([])
    for (const { host, port } of brokers) {
      const at = await sharedAccess().names.resolve(host)
      using client = await BrokerClient.connect(port, { host: at, timeoutMs: 10_000 })
      const group = new WireGroup(client, 'readers')
      if ((await group.find()) !== 'NONE') continue
      const said = await group.commit(offsets)
      if (said.every(error => error === 'NONE')) return true
    }
    return false
  })
}

async function whole(): Promise<void> {
  await orders.until('Stable', 'True Stable', longMs)
  await orders.untilReplicated()
}

/** What the cluster has beside what load makes of itself: its topics come and go with the test. */
function lasting(document: Record<string, unknown>): object {
  const { cluster, topics, groups } = document as {
    cluster: object
    topics: { name: string }[]
    groups: object
  }
  return { cluster, groups, topics: topics.filter(({ name }) => !name.startsWith('truth-')) }
}

// One cluster goes through all of it, test by test.
describeOnNodes('three brokers under load whose objects are deleted, and that are adopted', () => {
  let before: Record<string, unknown>

  beforeAll(async () => {
    await orders.begin('many', partitions)
    await filling.write(batches)
    await commit()
    before = await exported(orders, 'before')
  }, 2 * longMs)

  afterAll(async () => {
    rmSync(folder, { recursive: true })
    await orders.remove()
  }, longMs)

  async function expectAll(told: string): Promise<void> {
    expect(await filling.read()).toEqual(Array.from({ length: partitions }, () => batches))
    expect(lasting(await exported(orders, told))).toEqual(lasting(before))
  }

  test(
    'have every record, topic and committed offset when the same LogCluster is applied again at once',
    { timeout: 2 * longMs },
    async () => {
      const [known, { status }] = [await orders.identities(), await orders.cluster()]
      await orders.truthfully(120_000, async () => {
        await timed('From deletion to a cluster at rest', async () => {
          await orders.kubectl('delete', 'lc', 'orders', '--timeout=60s')
          await orders.apply()
          await whole()
        })
      })
      expect((await orders.cluster()).status.clusterId).toBe(status.clusterId)
      expect(await orders.identities()).toEqual(known)
      expect(await orders.events()).toContain('VolumesAdopted')
      await expectAll('applied')
    },
  )

  test(
    'have all of it when their namespace is deleted and made anew, by the claims that the plugin gives back',
    { timeout: 3 * longMs },
    async () => {
      const [known, { status }] = [await orders.identities(), await orders.cluster()]
      const { plane } = sharedCluster()
      await orders.truthfully(2 * longMs, async () => {
        await timed('To the end of the namespace', () => orders.deleteNamespace())
        await timed('From the new namespace to a cluster at rest', async () => {
          await plane.kubectl(['create', 'namespace', orders.namespace])
          console.log(await logcluster(orders, 'adopt', 'orders'))
          await orders.apply()
          await whole()
        })
      })
      expect((await orders.cluster()).status.clusterId).toBe(status.clusterId)
      expect(await orders.identities()).toEqual(known)
      expect(await orders.events()).toContain('MetadataFromDisk')
      await expectAll('adopted')
    },
  )

  test(
    'are what an import finds there already, and what a new cluster gets by it, but for records',
    { timeout: 2 * longMs },
    async () => {
      const input = `--input=${join(folder, 'before', 'export.json')}`
      const said = await logcluster(orders, 'import', 'orders', input)
      expect(said).toMatch(/^Topics made: 0, .*\. Offsets committed: 0, there already: 12\.$/m)
      await orders.kubectl('delete', 'lc', 'orders', '--timeout=60s')
      const next = new Several('imported')
      await next.make()
      try {
        console.log(await logcluster(next, 'import', 'orders', input, '--topics-only'))
        const { topics, groups } = lasting(await exported(next, 'imported')) as Record<
          string,
          object
        >
        expect({ topics, groups }).toEqual({
          topics: (lasting(before) as { topics: object }).topics,
          groups: [],
        })
      } finally {
        await next.remove()
      }
    },
  )
})
