import { logClusterSpec } from '../../src/operator/crd/cluster.ts'
import { podTemplate } from '../../src/operator/desired/pod-template.ts'
import { brokerPod } from './desired-cases.ts'

/** A spec as it is stored, and the template that it renders: one file of a release. */
export function releaseText(spec: unknown): string {
  const template = podTemplate(brokerPod({ spec: logClusterSpec.parse(spec) }))
  return `${JSON.stringify({ spec, template }, null, 2)}\n`
}
