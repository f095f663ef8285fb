import { logClusterSpec } from '../../src/operator/crd/cluster.ts'
import { podTemplate } from '../../src/operator/desired/pod-template.ts'
import { brokerPods } from './desired-cases.ts'

/** A spec as it is stored, and the template that it renders, or each of them: one file of a release. */
export function releaseText(spec: unknown): string {
  const templates = brokerPods({ spec: logClusterSpec.parse(spec) }).map(podTemplate)
  const [template] = templates
  const rendered = templates.length === 1 ? { template } : { templates }
  return `${JSON.stringify({ spec, ...rendered }, null, 2)}\n`
}
