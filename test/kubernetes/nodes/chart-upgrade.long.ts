import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { StatefulSet } from '../../../src/operator/kubernetes/objects.ts'
import { productRepository, productVersion } from '../node/product-image.ts'
import { chart, installChart, operatorNamespace } from './installed.ts'
import { longMs, Several } from './several.ts'
import { describeOnNodes, sharedCluster } from './shared.ts'

const orders = new Several('chart-upgrade')
/** The same content. */
const newer = '0.99.0'
const changed = ['logLevel=debug', 'resources.limits.memory=512Mi', 'podLabels.team=data']
/** In which an operator that wanted something would have done it. */
const restMs = 30_000

describeOnNodes('three brokers under load whose operator is exchanged', () => {
  beforeAll(async () => {
    const [first, second] = [productVersion, newer].map(tag => `${productRepository}:${tag}`)
    await Promise.all(sharedCluster().nodes.map(node => node.tagImage(first!, second!)))
    await orders.begin()
  })

  afterAll(async () => {
    await orders.remove()
    await installChart()
  }, longMs)

  test('are not touched by `helm upgrade`, nor by the way back', { timeout: 2 * longMs }, () =>
    orders.truthfully(2_000, async truth => {
      const [before, leaders, failed] = [
        await untouched(),
        await orders.leaderEpochs(),
        { ...truth.failed },
      ]
      await upgrade(`image.tag=${newer}`, ...changed)
      expect(await imageOfOperator()).toBe(`${productRepository}:${newer}`)
      await atWork()
      expect(await untouched()).toEqual(before)
      await upgrade(`image.tag=${productVersion}`)
      await atWork()
      await sharedCluster().plane.helm([
        'rollback',
        'logcluster',
        '-n',
        operatorNamespace,
        '--wait',
      ])
      expect(await imageOfOperator()).toBe(`${productRepository}:${newer}`)
      await atWork()
      expect(await untouched()).toEqual(before)
      expect(await orders.leaderEpochs()).toEqual(expect.arrayContaining([...leaders]))
      expect(truth.failed).toEqual(failed)
    }),
  )

  test(
    'are left alone by an operator that is older than what was written, which says so, and go on with one that is not',
    { timeout: 2 * longMs },
    () =>
      orders.truthfully(10_000, async () => {
        const { oldestOperator } = (await orders.cluster()).status
        const before = await untouched()
        await writtenBy('9.9.9')
        await orders.until('Degraded', 'True OperatorTooOld')
        // A wish that only an operator that is new enough may fulfil.
        await orders.patch({ restartedAt: new Date().toISOString() })
        await orders.until('Degraded', 'True OperatorTooOld')
        await sleep(restMs)
        expect(await orders.condition('Ready')).toBe('True Serving')
        expect((await untouched()).pods).toEqual(before.pods)
        await writtenBy(oldestOperator!)
        await orders.until('Stable', 'True Stable', longMs)
        expect((await untouched()).pods.filter(pod => before.pods.includes(pod))).toEqual([])
      }),
  )

  test(
    'are rolled to the version of the new chart once that is wished',
    { timeout: 2 * longMs },
    () =>
      orders.truthfully(10_000, async () => {
        const before = await orders.uids()
        await orders.patch({ version: newer })
        await orders.until('Stable', 'True Stable', longMs)
        const pods = await orders.pods()
        expect(pods.filter(({ metadata }) => before.includes(metadata.uid))).toEqual([])
        const images = pods.map(({ spec }) => spec!.containers[0]!.image)
        expect(new Set(images)).toEqual(new Set([`${productRepository}:${newer}`]))
      }),
  )
})

/** By whoever upgrades, as docs/kubernetes.md has it. */
async function upgrade(...values: readonly string[]): Promise<void> {
  const set = values.flatMap(value => ['--set', value])
  const asked = ['upgrade', 'logcluster', chart, '-n', operatorNamespace, ...set, '--wait']
  await sharedCluster().plane.helm(asked)
}

async function imageOfOperator(): Promise<string> {
  const asked = ['get', 'deployment', 'logcluster', '-o']
  const path = 'jsonpath={.spec.template.spec.containers[0].image}'
  return (await sharedCluster().plane.kubectl(['-n', operatorNamespace, ...asked, path])).stdout
}

/** The operator has looked at a change that restarts nobody, and had time for more. */
async function atWork(): Promise<void> {
  const { spec } = await orders.cluster()
  const hours = Number(spec.config?.['log.retention.hours'] ?? 5) + 1
  await orders.patch({ config: { 'log.retention.hours': hours } })
  await orders.until('Stable', 'True Stable')
  await sleep(restMs)
}

/** Changes with each pod, each start of its container, and each write of what its StatefulSet wants. */
async function untouched() {
  const text = await orders.kubectl('get', 'statefulsets', '-o', 'json')
  const { items } = JSON.parse(text) as { items: StatefulSet[] }
  return {
    pods: (await orders.pods()).map(({ metadata, status }) => {
      return `${metadata.uid} ${status?.containerStatuses?.[0]?.restartCount}`
    }),
    generations: items.map(({ metadata }) => `${metadata.name} ${metadata.generation}`),
  }
}

/** As a later release that writes what earlier ones would misread. */
async function writtenBy(version: string): Promise<void> {
  const patch = JSON.stringify({ status: { oldestOperator: version } })
  await orders.kubectl('patch', 'lc', 'orders', '--subresource=status', '--type=merge', '-p', patch)
}
