import { identityOf } from '../../kubernetes/disk-identity.ts'
import type { NamedObjects } from '../../kubernetes/named-objects.ts'
import type { IdentityReading } from './admission.ts'
import type { IdentitySource } from './disk-guard.ts'

/** The identity that the operator keeps in a ConfigMap of one broker. */
export class ConfigMapSource implements IdentitySource {
  readonly #objects: NamedObjects
  readonly #name: string

  constructor(objects: NamedObjects, name: string) {
    this.#objects = objects
    this.#name = name
  }

  async read(): Promise<IdentityReading> {
    const reply = await this.#objects.get('ConfigMap', this.#name)
    if (reply.type === 'unavailable') return { kind: 'unavailable', reason: reply.reason }
    if (reply.type === 'missing') {
      return { kind: 'missing', reason: `there is no ConfigMap ${this.#name}` }
    }
    const identity = identityOf(reply.object['data'])
    if (identity !== null) return { kind: 'found', identity }
    return {
      kind: 'damaged',
      reason: `the ConfigMap ${this.#name} is not as the operator writes it`,
    }
  }
}
