import { timingSafeEqual } from 'node:crypto'
import { utf8 } from '../../../lib/bytes.ts'
import {
  base64,
  readAttributes,
  readBase64,
  saslName,
  ScramError,
  textOf,
} from './scram-messages.ts'
import { digest, keyed, saltPassword, scramIterations, type ScramHash } from './scram-mechanisms.ts'

export interface ScramClientOptions extends ScramHash {
  readonly user: string
  readonly password: string
  /** Fresh for each exchange. */
  readonly nonce: string
  /** Default: the work is done anew. */
  readonly salt?: typeof saltPassword
}

/** No channel is bound. */
const header = 'n,,'

/** The client's side of one exchange (RFC 5802, section 5). The server has to prove itself, too. */
export class ScramClient {
  readonly #options: ScramClientOptions
  /** What the server has to answer to our proof; null before that. */
  #expected: Uint8Array | null = null

  constructor(options: ScramClientOptions) {
    this.#options = options
  }

  first(): Uint8Array {
    return utf8(header + this.#bare)
  }

  /** The proof, in answer to the server's first message. @throws ScramError */
  prove(token: Uint8Array): Uint8Array {
    const first = textOf(token)
    const [nonce, salt, rounds] = readAttributes(first, ['r', 's', 'i'])
    const { password, nonce: own, salt: salted = saltPassword } = this.#options
    if (!nonce.startsWith(own) || nonce.length === own.length) {
      throw new ScramError('the server did not add to our nonce')
    }
    const iterations = /^\d{1,9}$/.test(rounds) ? Number(rounds) : 0
    // Fewer give the password away to who listens, more keep us busy for long.
    if (iterations < scramIterations.min || iterations > scramIterations.max) {
      throw new ScramError(`the server asks for ${rounds} iterations`)
    }
    const given = { salt: readBase64(salt), iterations }
    const { saltedPassword } = salted(this.#options, password, given)
    const clientKey = keyed(this.#options, saltedPassword, 'Client Key')
    const serverKey = keyed(this.#options, saltedPassword, 'Server Key')
    const final = `c=${base64(utf8(header))},r=${nonce}`
    const message = `${this.#bare},${first},${final}`
    const signature = keyed(this.#options, digest(this.#options, clientKey), message)
    const proof = clientKey.map((byte, at) => byte ^ signature[at]!)
    this.#expected = keyed(this.#options, serverKey, message)
    return utf8(`${final},p=${base64(proof)}`)
  }

  /** The server's last message: it must know the password's keys. @throws ScramError */
  finish(token: Uint8Array): void {
    const [verifier] = readAttributes(textOf(token), ['v'])
    const given = readBase64(verifier)
    const expected = this.#expected
    if (expected?.length !== given.length || !timingSafeEqual(given, expected)) {
      throw new ScramError('the server does not know the password')
    }
  }

  get #bare(): string {
    return `n=${saslName(this.#options.user)},r=${this.#options.nonce}`
  }
}
