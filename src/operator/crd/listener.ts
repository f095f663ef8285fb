import { z } from 'zod'
import { field, nameRules, port, text } from './field.ts'
import { httpPort, privatePort } from './ports.ts'

/** What stands for something of each broker in the templates of what clients are told. */
const templateWords = ['broker', 'brokerId', 'pool', 'slot'] as const

/** What makes an address another at each broker; {slot} does so in one pool. */
export const tellBrokersApart =
  'put {brokerId} or {broker} into the host, or a sum such as {9100+brokerId} into the port'

const advertised = z.object({
  host: field(text(253).optional(), {
    text: 'A host, in which {broker}, {brokerId}, {pool} and {slot} stand for those of each broker: `broker-{brokerId}.kafka.example.com`.',
    rules: [
      {
        rule: `self.matches('^([a-z0-9.-]|[{](${templateWords.join('|')})[}])+$')`,
        message:
          'expose.advertised.host must be lower-case letters, digits, dots and dashes, with {broker}, {brokerId}, {pool} or {slot} in it where brokers differ, such as broker-{brokerId}.kafka.example.com',
      },
    ],
  }),
  port: field(text(16).optional(), {
    text: 'A port: a number; {nodePort}, which the Service of the broker has; or a sum such as {9100+brokerId} or {9100+slot}.',
    rules: [
      {
        rule: `self.matches('^([1-9][0-9]{0,3}|[1-5][0-9]{4}|[{]nodePort[}]|[{]([1-9][0-9]{0,3}|[1-5][0-9]{4})[+](brokerId|slot)[}])$')`,
        message:
          'expose.advertised.port must be a number from 1 to 59999, {nodePort}, or a sum of such a number and brokerId or slot, such as {9100+brokerId}',
      },
    ],
  }),
})

const expose = field(
  z
    .object({
      type: field(z.enum(['Internal', 'ClusterIP', 'NodePort']).default('Internal'), {
        text: 'Internal: inside the Kubernetes cluster, each broker at the name of its pod. ClusterIP: there too, each at a Service of its own, whose address stays when the pod is another, such as a gateway wants it. NodePort: also at a port of its node.',
      }),
      advertised: field(advertised.optional(), {
        text: 'What clients are told of each broker, where it is not what the type gives.',
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
      {
        rule: "self.type == 'NodePort' || !has(self.advertised) || !has(self.advertised.port) || self.advertised.port != '{nodePort}'",
        message:
          'expose.advertised.port can be {nodePort} where the type is NodePort only: set expose.type to NodePort, or give another port',
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
        rule: `!(self in [${privatePort}, ${httpPort}])`,
        message: `the port of a listener cannot be ${privatePort} or ${httpPort}, where each broker has its private listener and its HTTP: choose another one`,
      },
    ],
  }),
  expose,
})
