import { z } from 'zod'
import { field, nameRules, port, text } from './field.ts'

const expose = field(
  z
    .object({
      type: field(z.enum(['Internal', 'NodePort']).default('Internal'), {
        text: 'Internal: inside the Kubernetes cluster. NodePort: also at a port of every node.',
      }),
      nodePort: field(
        z
          .object({
            bootstrapPort: field(port.optional(), {
              text: 'The port of the bootstrap Service at every node; one that Kubernetes chooses where it is not given.',
              change: 'none',
            }),
            addressType: field(z.enum(['InternalIP']).default('InternalIP'), {
              text: "Which of a node's addresses clients are told.",
            }),
          })
          .optional(),
        { text: 'With type NodePort.' },
      ),
    })
    .prefault({}),
  {
    text: 'Who can connect.',
    rules: [
      {
        rule: "self.type == 'NodePort' || !has(self.nodePort)",
        message:
          'expose.nodePort belongs to a listener of type NodePort: set expose.type to NodePort, or remove expose.nodePort',
      },
    ],
  },
)

/** A place where clients connect. */
export const listener = z.object({
  name: field(text(63), {
    text: 'Its name, also in capitals at the broker. At most 10 characters.',
    rules: [
      ...nameRules('the name of a listener', 10),
      {
        rule: "!(self in ['private', 'http', 'bootstrap', 'brokers'])",
        message:
          "the name of a listener cannot be private, http, bootstrap or brokers, which are the operator's: choose another one",
      },
    ],
  }),
  port: field(port, {
    text: 'Where it listens, in the pod and at the bootstrap Service.',
    rules: [
      {
        rule: '!(self in [9091, 9404])',
        message:
          'the port of a listener cannot be 9091 or 9404, where each broker has its private listener and its HTTP: choose another one',
      },
    ],
  }),
  expose,
})
