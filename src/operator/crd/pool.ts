import { z } from 'zod'
import { field, integer, listByName, nameRules, quantity, text, wholeList } from './field.ts'
import { podTemplate, resources } from './pod-template.ts'

/** Pools of a cluster, and brokers of a pool. */
export const poolsMax = 16
export const brokersOfPoolMax = 100

const keep = ['Retain', 'Delete'] as const

const volume = z.object({
  name: field(text(63), {
    text: 'Its name, part of the name of its claims. At most 12 characters.',
    change: 'immutable',
    rules: nameRules('the name of a volume', 12),
  }),
  size: field(quantity(), {
    text: 'What is asked for, a quantity. It only grows: then claims are expanded while brokers run. What a StorageClass refused can be taken back.',
    change: 'none',
  }),
  storageClassName: field(text(253).optional(), {
    text: "The StorageClass; the Kubernetes cluster's default where it is not given.",
    change: 'immutable',
  }),
})

const volumes = field(
  listByName(
    volume.meta({
      'x-kubernetes-validations': [
        {
          rule: "isQuantity(string(self.size)) && quantity(string(self.size)).isGreaterThan(quantity('0'))",
          message: 'the size of a volume must be a quantity above zero, such as 100Gi',
        },
        {
          rule: 'has(self.storageClassName) == has(oldSelf.storageClassName) && (!has(self.storageClassName) || self.storageClassName == oldSelf.storageClassName)',
          message:
            'storageClassName of a volume cannot change, because its data lies there: give back the earlier one, or move to a new LogCluster',
        },
      ],
    }),
    8,
  ),
  {
    text: 'Where brokers keep their data. Exactly one for now.',
    change: 'immutable',
    rules: [
      {
        rule: 'self.size() == 1',
        message: 'storage.volumes must have exactly one volume for now: keep one',
      },
      {
        rule: 'oldSelf.all(old, self.exists(volume, volume.name == old.name))',
        message:
          'a volume cannot be removed or renamed, because its data would go with it: give back the earlier name',
      },
    ],
  },
)

const storage = z.object({
  volumes,
  retention: field(
    z
      .object({
        whenDeleted: field(z.enum(keep).default('Retain'), {
          text: 'What becomes of the claims of this pool, also of brokers that left it, when the LogCluster is deleted. Claims of pools that are not in the list any more are kept.',
        }),
        whenReplaced: field(z.enum(keep).default('Retain'), {
          text: "What becomes of a claim when its broker's disk was replaced. Delete: its volume goes with it, as its StorageClass says.",
        }),
      })
      .prefault({}),
    { text: 'What becomes of volumes that nobody uses any more.', change: 'none' },
  ),
})

/** Brokers that are alike. */
export const pool = z.object({
  name: field(text(63), {
    text: 'Its name, part of the names of its brokers. At most 12 characters. Pool `eu-main` of `orders` and pool `main` of `orders-eu` give their brokers the same names: the later one in a namespace is blocked (`NameTaken`) until it has another.',
    change: 'immutable',
    rules: nameRules('the name of a pool', 12),
  }),
  brokers: field(integer(0, brokersOfPoolMax).default(1), {
    text: 'How many brokers it has. More can be added at any time, and are given their share of replicas. Where it becomes less, the last ones, or those of `withoutSlots`, are drained, stopped and forgotten, and their claims are kept; a pool that is taken out of the list leaves in the same way. A cluster that comes to two or to three restarts the brokers that it had, one after another, since new topics are to have more replicas then (`default.replication.factor`).',
    change: 'none',
  }),
  withoutSlots: field(wholeList(integer(0, 9999), 100).optional(), {
    text: 'Slots of the pool, as its LogBrokers are numbered, that have no broker: the pool has its `brokers` in the lowest of the others. So any broker can be removed, not only the last: its slot stands here, and `brokers` is one less, or the same where another is to come in its place. It leaves as the last ones do.',
    change: 'none',
  }),
  storage: field(storage, { text: 'Its volumes.' }),
  resources: field(resources, { text: "Resources of the broker's container.", change: 'restart' }),
  template: field(z.object({ pod: field(podTemplate.optional(), { text: 'Pods.' }) }).optional(), {
    text: 'What you decide of the objects that the operator makes.',
    change: 'restart',
  }),
})
