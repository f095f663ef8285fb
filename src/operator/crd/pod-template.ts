import { z } from 'zod'
import {
  field,
  integer,
  listByName,
  quantity,
  text,
  textMap,
  wholeList,
  type Rule,
} from './field.ts'

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const

const labelSelector = z.object({
  matchLabels: field(textMap(32, 63).optional(), { text: 'Labels that must be there.' }),
  matchExpressions: field(
    wholeList(
      z.object({
        key: field(text(317), { text: 'The label.' }),
        operator: field(z.enum(operators), { text: 'How `values` are compared.' }),
        values: field(wholeList(text(63), 64).optional(), { text: 'What it is compared with.' }),
      }),
      32,
    ).optional(),
    { text: 'Conditions on labels, all of which must hold.' },
  ),
})

const nodeRequirements = wholeList(
  z.object({
    key: field(text(317), { text: 'The label or field.' }),
    operator: field(z.enum([...operators, 'Gt', 'Lt']), { text: 'How `values` are compared.' }),
    values: field(wholeList(text(253), 64).optional(), { text: 'What it is compared with.' }),
  }),
  32,
)

const nodeTerm = z.object({
  matchExpressions: field(nodeRequirements.optional(), {
    text: "Conditions on the node's labels.",
  }),
  matchFields: field(nodeRequirements.optional(), { text: "Conditions on the node's fields." }),
})

const weight = field(integer(1, 100), { text: 'How much it counts, 1 to 100.' })

const podTerm = z.object({
  topologyKey: field(text(317), { text: 'The label of nodes that tells places apart.' }),
  labelSelector: field(labelSelector.optional(), { text: 'Which pods.' }),
  namespaces: field(wholeList(text(63), 64).optional(), {
    text: "Their namespaces; else the pod's own.",
  }),
  namespaceSelector: field(labelSelector.optional(), { text: 'Their namespaces, by labels.' }),
})

const podAffinity = z.object({
  requiredDuringSchedulingIgnoredDuringExecution: field(wholeList(podTerm, 16).optional(), {
    text: 'All must hold.',
  }),
  preferredDuringSchedulingIgnoredDuringExecution: field(
    wholeList(
      z.object({ weight, podAffinityTerm: field(podTerm, { text: 'What is preferred.' }) }),
      16,
    ).optional(),
    { text: 'Preferred where possible.' },
  ),
})

const affinity = z.object({
  nodeAffinity: field(
    z
      .object({
        requiredDuringSchedulingIgnoredDuringExecution: field(
          z
            .object({
              nodeSelectorTerms: field(wholeList(nodeTerm, 16).min(1), { text: 'One must hold.' }),
            })
            .optional(),
          { text: 'What a node must be.' },
        ),
        preferredDuringSchedulingIgnoredDuringExecution: field(
          wholeList(
            z.object({ weight, preference: field(nodeTerm, { text: 'What is preferred.' }) }),
            16,
          ).optional(),
          { text: 'Preferred where possible.' },
        ),
      })
      .optional(),
    { text: 'Which nodes.' },
  ),
  podAffinity: field(podAffinity.optional(), { text: 'Near which pods.' }),
  podAntiAffinity: field(podAffinity.optional(), { text: 'Away from which pods.' }),
})

const toleration = z.object({
  key: field(text(317).optional(), { text: 'The taint; none with `Exists` is every taint.' }),
  operator: field(z.enum(['Equal', 'Exists']).optional(), { text: 'Equal where it is not given.' }),
  value: field(text(63).optional(), { text: 'The value of the taint.' }),
  effect: field(z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(), {
    text: 'The effect of the taint; every effect where it is not given.',
  }),
  tolerationSeconds: field(integer(0, 2_147_483_647).optional(), {
    text: 'Seconds that a `NoExecute` taint is borne; for ever where it is not given.',
  }),
})

const spread = z.object({
  maxSkew: field(integer(1, 1000), { text: 'By how many pods places may differ.' }),
  topologyKey: field(text(317), { text: 'The label of nodes that tells places apart.' }),
  whenUnsatisfiable: field(z.enum(['DoNotSchedule', 'ScheduleAnyway']), {
    text: 'What happens where it cannot be kept.',
  }),
  labelSelector: field(labelSelector.optional(), { text: 'Which pods are counted.' }),
  minDomains: field(integer(1, 1000).optional(), { text: 'How many places there must be.' }),
})

const reference = (what: string) =>
  z.object({
    name: field(text(253), { text: `The ${what}.` }),
    key: field(text(253), { text: 'The key in it.' }),
    optional: field(z.boolean().optional(), { text: 'Whether it may be missing.' }),
  })

const environment = z.object({
  name: field(text(253), {
    text: 'The name of the variable.',
    rules: [
      {
        rule: "!self.startsWith('LOGCLUSTER_') && self != 'HOST_IP'",
        message:
          'env cannot set HOST_IP, or variables that begin with LOGCLUSTER_, which the operator sets: use spec.config for settings of the broker',
      },
    ],
  }),
  value: field(text(4096).optional(), { text: 'The value.' }),
  valueFrom: field(
    z
      .object({
        secretKeyRef: field(reference('Secret').optional(), { text: 'A key of a Secret.' }),
        configMapKeyRef: field(reference('ConfigMap').optional(), {
          text: 'A key of a ConfigMap.',
        }),
        fieldRef: field(
          z
            .object({ fieldPath: field(text(253), { text: 'Such as `spec.nodeName`.' }) })
            .optional(),
          { text: 'A field of the pod.' },
        ),
      })
      .optional(),
    { text: 'Where the value is taken from instead.' },
  ),
})

/** `logcluster`, `logcluster.dev/` and `app.kubernetes.io/` are the operator's: it and Prometheus find objects by them. */
function ownLabels(what: string): Rule {
  const isOwn =
    "key == 'logcluster' || key.startsWith('logcluster.dev/') || key.startsWith('app.kubernetes.io/')"
  return {
    rule: `self.all(key, !(${isOwn}))`,
    message: `${what} cannot be logcluster, or begin with logcluster.dev/ or app.kubernetes.io/, which are the operator's: choose another prefix`,
  }
}

/** The part of a pod that users decide; everything else of it is the operator's. */
export const podTemplate = z.object({
  metadata: field(
    z
      .object({
        labels: field(textMap(32, 63).optional(), {
          text: 'Labels of the pods, beside those of the operator.',
          rules: [ownLabels('labels of pods')],
        }),
        annotations: field(textMap(32, 4096).optional(), {
          text: 'Annotations of the pods, beside those of the operator.',
          rules: [ownLabels('annotations of pods')],
        }),
      })
      .optional(),
    { text: 'Labels and annotations.' },
  ),
  spec: field(
    z
      .object({
        nodeSelector: field(textMap(32, 63).optional(), { text: 'Labels that a node must have.' }),
        tolerations: field(wholeList(toleration, 32).optional(), {
          text: 'Taints that are borne.',
        }),
        affinity: field(affinity.optional(), { text: 'Where pods go.' }),
        topologySpreadConstraints: field(wholeList(spread, 8).optional(), {
          text: 'How pods are spread over places.',
        }),
        priorityClassName: field(text(253).optional(), { text: 'The PriorityClass of the pods.' }),
        env: field(listByName(environment, 64).optional(), {
          text: "Variables of the broker's process, such as NODE_OPTIONS.",
        }),
      })
      .optional(),
    { text: 'The spec of the pods, as far as it is yours.' },
  ),
})

function amount(what: string) {
  return field(quantity().optional(), {
    text: `${what}, a quantity.`,
    rules: [
      {
        rule: "isQuantity(string(self)) && quantity(string(self)).isGreaterThan(quantity('0'))",
        message: `${what} must be a quantity above zero, such as 500m or 4Gi`,
      },
    ],
  })
}

/** As Kubernetes has it, for the broker's container. */
export const resources = field(
  z
    .object({
      requests: field(
        z
          .object({
            cpu: amount('cpu of requests').default('250m'),
            memory: amount('memory of requests').default('1Gi'),
          })
          .prefault({}),
        { text: "What a node must have free. The page cache is the node's free memory beyond it." },
      ),
      limits: field(
        z.object({ cpu: amount('cpu of limits'), memory: amount('memory of limits') }).optional(),
        {
          text: 'None where it is not given, which is right for most: a limit of memory is one of the page cache too, a limit of cpu makes the tail of latencies.',
        },
      ),
    })
    .prefault({}),
  {
    text: "Resources of the broker's container.",
    rules: ['cpu', 'memory'].map(what => ({
      rule:
        `!has(self.limits) || !has(self.limits.${what}) || !isQuantity(string(self.limits.${what})) || !isQuantity(string(self.requests.${what})) || ` +
        `quantity(string(self.limits.${what})).compareTo(quantity(string(self.requests.${what}))) >= 0`,
      message: `resources.limits.${what} must not be below resources.requests.${what}: raise the limit, or leave it out`,
    })),
  },
)
