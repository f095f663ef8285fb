import { z } from 'zod'
import { field, quantity } from './field.ts'

/** How replicas are moved when brokers come and go. */
export const rebalance = z.object({
  state: field(z.enum(['Active', 'Paused', 'Cancelled']).default('Active'), {
    text: 'Paused: no replica begins to move, and what is on its way arrives. Cancelled: that is called off too, whoever asked for it, and as long as it stands here. Active again, the operator goes on with what is still wanted: to end that for good, give back the number of brokers or of replicas.',
  }),
  throttle: field(quantity().optional(), {
    text: 'Bytes per second that each broker takes, and that each gives, for replicas which a reassignment brings, a quantity such as 50Mi. Replicas in sync are never held back. Without a bound where it is not given. It must be more than what clients write meanwhile, else a replica that comes never catches up.',
    change: 'dynamic',
    rules: [
      {
        rule: "isQuantity(string(self)) && quantity(string(self)).isGreaterThan(quantity('0'))",
        message:
          'spec.rebalance.throttle must be a quantity of bytes per second above zero, such as 50Mi',
      },
    ],
  }),
})
