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
import { present } from '../../lib/assert.ts'

/** Who may come by the private listener. */
const privatePrincipals = ['operator', 'broker'] as const

export const privateMechanism = present(scramMechanism('SCRAM-SHA-256'), 'the mechanism is known')

const saltBytes = 24
/** A password is a line; whatever is longer is another file. */
const passwordBytesMax = 4096

interface Known {
  readonly password: string
  readonly credential: ScramCredential
}

/**
 * Passwords of the private principals, a file each, as a Secret is mounted. The file is read at every login: kubelet
 * changes it by turning a link to another folder, which nothing watches reliably, and logins are rare.
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
  credentialOf(user: string): ScramCredential | null {
    if (!privatePrincipals.some(name => name === user)) return null
    const password = this.#password(user)
    if (password === null) return null
    const known = this.#known.get(user)
    if (known?.password === password) return known.credential
    const credential = this.#make(password)
    this.#known.set(user, { password, credential })
    return credential
  }

  /** For who logs in elsewhere as `user`; null where there is none. */
  passwordOf(user: (typeof privatePrincipals)[number]): string | null {
    return this.#password(user)
  }

  /** The principals that cannot log in, because their file is missing, empty or unreadable. */
  missing(): string[] {
    return privatePrincipals.filter(user => this.#password(user) === null)
  }

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

  #make(password: string): ScramCredential {
    const salt = this.#random.bytes(saltBytes)
    const given = { salt, iterations: scramIterations.min }
    return scramCredential(privateMechanism, saltPassword(privateMechanism, password, given))
  }
}
