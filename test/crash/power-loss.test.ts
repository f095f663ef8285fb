import { describe, expect, test } from 'vitest'
import { durableRecordsMin, runPowerLoss, whyNoPowerLoss } from './power-loss.ts'

const why = await whyNoPowerLoss()
const title = why === null ? 'power loss' : `power loss: cannot be had here: ${why}`

describe.skipIf(why !== null)(title, { timeout: 120_000 }, () => {
  test('ten power cuts take nothing that was flushed, and leave nothing that was not written', async () => {
    const result = await runPowerLoss({ cycles: 10, seed: 11 })
    console.log(`Power loss: ${JSON.stringify(result)}`)
    expect(result.violations).toEqual([])
    expect(result.durableRecords).toBeGreaterThan(durableRecordsMin)
  })

  test('a flush that was only claimed is noticed', async () => {
    const { violations } = await runPowerLoss({ cycles: 3, seed: 12, liesAboutFlush: true })
    expect(violations.join('\n')).toContain('was durable')
  })
})
