import { describe, expect, test } from 'vitest'
import { StubKubectl } from '../../../test/helpers/stub-kubectl.ts'
import { importText } from './document.ts'
import { reportFiles } from './report.ts'

const cluster = {
  kind: 'LogCluster',
  metadata: { name: 'orders', namespace: 'streaming' },
  spec: { listeners: [{ name: 'internal', port: 9192 }] },
}
const pod = (name: string, status: string) => ({
  kind: 'Pod',
  metadata: { name, namespace: 'streaming' },
  status: { conditions: [{ type: 'Ready', status }] },
})
const answers = {
  'get logcluster': cluster,
  'get pods': { items: [pod('orders-main-0-0', 'False'), pod('orders-main-1-0', 'True')] },
  exec: 'what was printed\n',
}
const wish = { name: 'orders', scope: ['--namespace=streaming'] }
const inBroker = 'orders-main-1-0 --namespace=streaming --container=broker -- logcluster'

describe('a document of topics and offsets', () => {
  test('is one of the files of a report where that is asked for, as a broker that serves prints it', async () => {
    const kubectl = new StubKubectl(answers)
    const files = await reportFiles(kubectl, { ...wish, isExport: true })
    expect(files.find(({ path }) => path === 'export.json')?.text).toBe('what was printed\n')
    expect(kubectl.calls).toContain(`exec ${inBroker} export 127.0.0.1:9192`)
  })

  test('is not asked for otherwise: it needs a right that a report does not', async () => {
    const kubectl = new StubKubectl(answers)
    await reportFiles(kubectl, wish)
    expect(kubectl.calls.filter(call => call.startsWith('exec'))).toEqual([])
  })

  test('that cannot be had is told with the rest, and stops nothing', async () => {
    const { exec: _, ...rest } = answers
    const files = await reportFiles(new StubKubectl(rest), { ...wish, isExport: true })
    const errors = files.find(({ path }) => path === 'errors.txt')?.text
    expect(errors).toMatch(/^export: Error from server \(Forbidden\): exec/m)
    expect(files.some(({ path }) => path === 'logcluster.json')).toBe(true)
  })

  test('is imported by a broker that serves, over its standard input', async () => {
    const kubectl = new StubKubectl(answers)
    expect(await importText(kubectl, { ...wish, isTopicsOnly: true }, '{}')).toBe(
      'what was printed',
    )
    expect(kubectl.calls.at(-1)).toBe(
      `exec --stdin ${inBroker} import - 127.0.0.1:9192 --topics-only`,
    )
  })

  test('cannot be had of a cluster that does not serve', async () => {
    const kubectl = new StubKubectl({ ...answers, 'get pods': { items: [] } })
    await expect(importText(kubectl, { ...wish, isTopicsOnly: false }, '{}')).rejects.toThrow(
      'no broker of streaming/orders serves',
    )
  })
})
