import { z } from 'zod'
import { field, text } from './field.ts'

/** How strictly brokers of one cluster keep apart. */
const apart = z.enum(['Required', 'Preferred', 'None'])

/** Where brokers run in relation to one another. */
export const placement = z.object({
  host: field(apart.optional(), {
    text: 'Two brokers on one node. Required: never, a broker waits for a node of its own. Preferred: where there is another way, not. None: it does not matter. Where it is not given: Required from three brokers on, Preferred with two.',
  }),
  zone: field(apart.default('Preferred'), {
    text: 'Two brokers on nodes with one value of `topology.kubernetes.io/zone`. Required: never, so that there are as many zones as brokers. Preferred and None as for `host`.',
  }),
})

/** Where Kubernetes tells what fails together. */
export const rack = z.object({
  nodeLabel: field(text(317).default('topology.kubernetes.io/zone'), {
    text: 'The label of nodes whose value is the `broker.rack` of the brokers there.',
    rules: [
      {
        rule: "self.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$')",
        message:
          'rack.nodeLabel must be the key of a label, such as topology.kubernetes.io/zone or example.org/rack',
      },
    ],
  }),
})

/** What the operator does by itself where a node fails. */
export const disruption = z.object({
  nodeGracePeriod: field(text(16).default('5m'), {
    text: 'A node that is not ready for so long is told as down. Nothing is taken from its broker for that alone.',
    rules: [
      {
        rule: "self.matches('^[1-9][0-9]{0,4}[smh]$')",
        message:
          'disruption.nodeGracePeriod must be a whole number of seconds, minutes or hours, such as 30s, 5m or 1h',
      },
    ],
  }),
})
