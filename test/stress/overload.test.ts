import { describe, expect, test } from 'vitest'
import { describeConfigs } from '../../src/broker/wire/messages/index.ts'
import { withBroker } from '../helpers/broker.ts'
import { BrokerClient } from '../helpers/broker-client.ts'
import { MemoryCgroup, whyNoCgroup } from './memory-cgroup.ts'
import { runOverload } from './overload.ts'

const mebibyte = 1024 * 1024
const why = whyNoCgroup()
const mustRun = process.env['CI'] === 'true'
const title = `a broker of 512 MiB under too much${why === null ? '' : `: ${why}`}`

describe.skipIf(why !== null && !mustRun)(title, () => {
  test('serves its neighbours, is not killed, and counts whom it turned away', async () => {
    expect(why).toBeNull()
    const result = await runOverload({ scale: 1 })
    console.log(`Overload: ${JSON.stringify(result)}`)
    expect(result.failures).toEqual([])
    expect(result.cgroup.oomKills).toBe(0)
    for (const [stage, { rounds }] of Object.entries(result.stages)) {
      expect(rounds, stage).toBeGreaterThanOrEqual(20)
    }
    expect(result.requestMemoryWaits).toBeGreaterThan(0)
    expect(result.refused['max.connections.per.ip']).toBe(result.stages['turned away']!.count)
  }, 600_000)

  test('gives requests half of what a smaller limit leaves', async () => {
    const cgroup = new MemoryCgroup(256 * mebibyte)
    try {
      await withBroker({ wrapper: cgroup.wrapper }, async broker => {
        using client = await BrokerClient.connect(broker.port)
        const configurationKeys = ['queued.max.request.bytes', 'socket.request.max.bytes']
        const resources = [{ resourceType: 4, resourceName: '1', configurationKeys }]
        const asked = { resources, includeSynonyms: false, includeDocumentation: false }
        const { results } = await client.request(describeConfigs, 4, asked)
        const values = new Map(results[0]!.configs.map(({ name, value }) => [name, Number(value)]))
        expect(values.get('queued.max.request.bytes')).toBe(64 * mebibyte)
        expect(values.get('socket.request.max.bytes')).toBe(48 * mebibyte)
      })
    } finally {
      cgroup.remove()
    }
  })
})
