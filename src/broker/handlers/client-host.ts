import type { Address } from '../../env/env.ts'

/** How Kafka writes where a client is, and its tools show it: the way Java prints an address without a name. */
export function kafkaHost({ host }: Address): string {
  return `/${host}`
}
