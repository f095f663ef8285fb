import { expect, test } from 'vitest'
import { describeWith } from '../helpers/clients.ts'
import { runSpec, specs, startSuiteBroker } from './suite.ts'

describeWith('node-rdkafka', "node-rdkafka's own e2e suite", () => {
  test.each(specs.map(spec => [spec.name, spec] as const))('%s.spec', async (_, spec) => {
    await using broker = await startSuiteBroker()
    const options = { isQuick: true, isQuiet: true }
    const { results, output } = await runSpec(spec, broker.address, options)
    const failed = results.filter(({ isPassed }) => !isPassed)
    expect(failed, `${output.slice(-8000)}\n${broker.output.slice(-8000)}`).toEqual([])
  })
})
