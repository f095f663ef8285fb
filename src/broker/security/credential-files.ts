import { otherPasswordOf, privatePrincipals, type PrivatePrincipal } from '../../lib/principals.ts'
import { readWhole } from '../../env/disk.ts'
import { DiskError, type Disk, type Random } from '../../env/env.ts'
import { fromUtf8 } from '../../lib/bytes.ts'
import {
  saltPassword,
  scramCredential,
  scramIterations,
  scramMechanism,
  type ScramCredential,
} from '../wire/sasl/scram-mechanisms.ts'
import type { TakenCredential } from '../wire/sasl/scram-server.ts'
import { present } from '../../lib/assert.ts'

export const privateMechanism = present(scramMechanism('SCRAM-SHA-256'), 'the mechanism is known')

const saltBytes = 24
/** A password is a line; whatever is longer is another file. */
const passwordBytesMax = 4096

interface Known {
  readonly password: string
  readonly other: string | null
  readonly credential: TakenCredential
}

/**
 * Passwords of the private principals, a file each, as a Secret is mounted. The file is read at every login: kubelet
 * changes it by turning a link to another folder, which nothing watches reliably, and logins are rare. Beside the password that one logs in
 * with there may be another, `broker.other`, that is taken too; so one is changed for the other while brokers run (decision 0017).
 */
export class CredentialFiles {
  readonly #disk: Disk
  readonly #random: Random
  readonly #path: string
  readonly #known = new Map<string, Known>()

  constructor({ disk, random }: { readonly disk: Disk; readonly random: Random }, path: string) {
    this.#disk = disk
    this.#random = random
    this.#path = path
  }

  /** null where `user` is none of the principals, or has no password. */
  credentialOf(user: string): TakenCredential | null {
    if (!privatePrincipals.some(name => name === user)) return null
    const { password, other } = this.#both(user)
    if (password === null) return null
    const known = this.#known.get(user)
    if (known?.password === password && known.other === other) return known.credential
    const salt = this.#random.bytes(saltBytes)
    const credential = {
      ...made(password, salt),
      ...(other === null ? {} : { other: made(other, salt) }),
    }
    this.#known.set(user, { password, other, credential })
    return credential
  }

  /** For who logs in elsewhere as `user`; null where there is none. */
  passwordOf(user: PrivatePrincipal): string | null {
    return this.#password(user)
  }

  /** Which state of the Secret these files are, as the operator counts them; empty: it never changed. */
  revision(): string {
    return this.#password('revision') ?? ''
  }

  /** The principals that cannot log in, because their file is missing, empty or unreadable. */
  missing(): string[] {
    return privatePrincipals.filter(user => this.#password(user) === null)
  }

  /** The one line of a file; null where there is none that is one. */
  #password(user: string): string | null {
    try {
      const bytes = readWhole(this.#disk, `${this.#path}/${user}`)
      if (bytes === null || bytes.length > passwordBytesMax) return null
      return fromUtf8(bytes).replace(/\r?\n$/, '') || null
    } catch (error) {
      // Not UTF-8, or not readable.
      if (error instanceof TypeError || error instanceof DiskError) return null
      throw error
    }
  }

  /** Of one state of the folder: the link may be turned between two looks at it. */
  #both(user: string): { readonly password: string | null; readonly other: string | null } {
    for (;;) {
      const password = this.#password(user)
      const other = this.#password(otherPasswordOf(user))
      if (this.#password(user) === password) return { password, other }
    }
  }
}

function made(password: string, salt: Uint8Array): ScramCredential {
  const salted = saltPassword(privateMechanism, password, { salt, iterations: scramIterations.min })
  return scramCredential(privateMechanism, salted)
}
