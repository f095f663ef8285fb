import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { checkPod } from '../../src/operator/desired/check-pod.ts'
import { claim } from '../../src/operator/desired/claim.ts'
import { configuration } from '../../src/operator/desired/configuration.ts'
import { identityMap } from '../../src/operator/desired/identity.ts'
import { clusterObjects } from '../../src/operator/desired/index.ts'
import { logBroker } from '../../src/operator/desired/log-broker.ts'
import { podMonitor } from '../../src/operator/desired/pod-monitor.ts'
import { brokerPod, cases, specOf } from './desired-cases.ts'
import { releaseText } from './release-text.ts'
import { statefulSet } from '../../src/operator/desired/stateful-set.ts'
import { broker, smallRing } from './world.ts'

const golden = `${import.meta.dirname}/../golden`

describe('every object of a cluster is as its golden file has it (vitest -u writes them anew)', () => {
  test.for(Object.keys(cases))('%s', async name => {
    const pod = brokerPod({ spec: specOf(name) })
    const { cluster, pool, broker: facts } = pod
    const { clusterId, brokerId, incarnation } = facts
    const identity = { clusterId, brokerId, incarnation, directoryId: '', mayFormat: true }
    const objects = [
      ...clusterObjects(cluster, smallRing('streaming', 'orders').names, [broker]),
      logBroker(cluster, facts),
      identityMap(cluster, facts, identity),
      claim(cluster, pool, facts),
      configuration(pod),
      statefulSet(pod),
      checkPod(pod, 'n1'),
      podMonitor(cluster),
    ].filter(object => object !== null)
    const text = objects
      .map(object => stringify(object, { aliasDuplicateObjects: false }))
      .join('---\n')
    await expect(text).toMatchFileSnapshot(`${golden}/operator/${name}.yaml`)
  })
})

/**
 * What each release rendered, from the specs that are stored with it. A file here is never written anew: where the code renders
 * another one, every broker in the world would be started anew with it by its next restart, so that has to be meant.
 */
describe('pod templates are what earlier releases rendered, byte for byte', () => {
  const releases = `${golden}/releases`
  const files = readdirSync(releases).flatMap(release =>
    readdirSync(`${releases}/${release}/templates`).map(file => `${release}/templates/${file}`),
  )
  test('there are some', () =>
    expect(files.length).toBeGreaterThanOrEqual(Object.keys(cases).length))
  test.for(files)('%s', file => {
    const text = readFileSync(`${releases}/${file}`, 'utf8')
    const stored = JSON.parse(text) as { spec: unknown }
    expect(releaseText(stored.spec)).toBe(text)
  })
})
