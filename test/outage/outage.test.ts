import { expect, test } from 'vitest'
import { loseStore } from './outage.ts'
import { folderOutage } from './stores.ts'

/** Longer than the lease of the controller: it has given its office up, and nobody can follow. */
const seconds = 12

test('three brokers without their metadata store answer every acks=all request, and elect nobody (1.6)', async () => {
  const result = await loseStore(folderOutage, seconds)
  console.log(`Outage: ${JSON.stringify(result)}`)
  const { failures, lost, elections, acknowledgedMeanwhile } = result
  expect([failures, lost, elections]).toEqual([[], 0, 0])
  expect(acknowledgedMeanwhile).toBeGreaterThan(0)
})
