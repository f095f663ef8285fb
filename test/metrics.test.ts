import { expect, test } from 'vitest'
import { checkMetrics, describeWith, kcat } from './helpers/clients.ts'
import { eventually } from './helpers/eventually.ts'
import { suiteBroker } from './helpers/suite-broker.ts'

describeWith('promtool', 'the metrics of a broker at work', () => {
  const broker = suiteBroker()

  test('are what Prometheus wants, and count what was sent', async () => {
    const { address } = broker()
    const lines = Array.from({ length: 1000 }, (_, at) => `value ${at}\n`).join('')
    await kcat(['-P', '-b', address, '-t', 'counted', '-p', '0'], { input: lines })
    await kcat(['-C', '-b', address, '-t', 'counted', '-p', '0', '-o', 'beginning', '-e', '-q'])
    expect(await checkMetrics(await broker().metrics())).toBe('')
    const sent = () => broker().metric('logcluster_page_cache_sent_bytes_total', 'topic="counted"')
    await eventually('bytes sent', sent, bytes => bytes > lines.length)
  })
})
