import { hex } from '../../../lib/bytes.ts'
import { saltPassword, type SaltedPassword, type ScramHash } from './scram-mechanisms.ts'

/** So many are remembered: one of each server that is logged in to, and some of servers that were started anew. */
const countMax = 32

/**
 * Passwords as servers salt them, so that whoever logs in to the same server again does the work of it once (RFC 5802, section 3, leaves
 * that to the client). It is worth as much as the password.
 */
export class SaltedPasswords {
  /** The one that was asked for longest ago comes first. */
  readonly #known = new Map<string, SaltedPassword>()

  /** As `saltPassword`. */
  readonly salt: typeof saltPassword = (hash: ScramHash, password, given) => {
    const key = `${hash.hash} ${given.iterations} ${hex(given.salt)} ${password}`
    const salted = this.#known.get(key) ?? saltPassword(hash, password, given)
    this.#known.delete(key)
    this.#known.set(key, salted)
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= countMax) break
      this.#known.delete(oldest)
    }
    return salted
  }
}
