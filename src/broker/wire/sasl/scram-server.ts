import { timingSafeEqual } from 'node:crypto'
import { assert } from '../../../lib/assert.ts'
import { fromHex, utf8 } from '../../../lib/bytes.ts'
import {
  base64,
  readAttributes,
  readBase64,
  readSaslName,
  ScramError,
  textOf,
} from './scram-messages.ts'
import { digest, keyed, type ScramCredential, type ScramHash } from './scram-mechanisms.ts'

/** A credential, and another of the same user that is taken too, while one password is changed for the other. */
export interface TakenCredential extends ScramCredential {
  /** With the same salt and rounds, since the client is told those before it shows which password it has. */
  readonly other?: ScramCredential | null
}

export interface ScramServerOptions extends ScramHash {
  /** null: there is no such user. */
  readonly credentialOf: (user: string) => TakenCredential | null
  /** Fresh for each exchange. */
  readonly nonce: string
}

/** What the client is sent, and who it turned out to be: null before it has proved that. */
export interface ScramReply {
  readonly token: Uint8Array
  readonly user: string | null
}

interface Challenged {
  readonly user: string
  /** The first password's, and that of another that is taken too. */
  readonly credentials: readonly ScramCredential[]
  /** What the client said of channel binding, which it has to repeat. */
  readonly header: string
  readonly nonce: string
  /** The first two messages, as they are signed. */
  readonly signed: string
}

/** The server's side of one exchange (RFC 5802, section 5), which has two steps. Throws a ScramError where it fails. */
export class ScramServer {
  readonly #options: ScramServerOptions
  #challenged: Challenged | null = null

  constructor(options: ScramServerOptions) {
    this.#options = options
  }

  /** Takes the next message of the client. @throws ScramError */
  step(token: Uint8Array): ScramReply {
    const text = textOf(token)
    return this.#challenged === null ? this.#challenge(text) : this.#verify(text, this.#challenged)
  }

  #challenge(text: string): ScramReply {
    const match = /^([ny]|p=[^,]*),(a=[^,]*)?,/.exec(text)
    if (match === null) throw new ScramError('the first message does not begin as one')
    const [header = '', binding = '', authorized = ''] = match
    if (binding.startsWith('p=')) throw new ScramError('channels cannot be bound here')
    const bare = text.slice(header.length)
    const [name, clientNonce] = readAttributes(bare, ['n', 'r'])
    const user = readSaslName(name)
    if (authorized !== '' && readSaslName(authorized.slice(2)) !== user) {
      throw new ScramError('nobody may act for another user')
    }
    if (!/^[!-~]+$/.test(clientNonce)) throw new ScramError('the nonce is not printable')
    const credential = this.#options.credentialOf(user)
    if (credential === null) throw new ScramError(`there is no user ${JSON.stringify(user)}`)
    const nonce = clientNonce + this.#options.nonce
    const first = `r=${nonce},s=${base64(fromHex(credential.salt))},i=${credential.iterations}`
    const { other = null } = credential
    const isAlike = other?.salt === credential.salt && other.iterations === credential.iterations
    assert(other === null || isAlike, 'both passwords of a user are salted alike')
    const credentials = other === null ? [credential] : [credential, other]
    this.#challenged = { user, credentials, header, nonce, signed: `${bare},${first}` }
    return { token: utf8(first), user: null }
  }

  #verify(text: string, { user, credentials, header, nonce, signed }: Challenged): ScramReply {
    const [binding, echoed] = readAttributes(text, ['c', 'r'])
    if (binding !== base64(utf8(header))) throw new ScramError('the channel binding has changed')
    if (echoed !== nonce) throw new ScramError('the nonce is not the one that was given')
    const proofAt = text.lastIndexOf(',p=')
    if (proofAt < 0) throw new ScramError('the proof is missing')
    const proof = readBase64(text.slice(proofAt + 3))
    const message = `${signed},${text.slice(0, proofAt)}`
    const credential = credentials.find(each => this.#isProven(proof, message, each))
    if (credential === undefined) {
      throw new ScramError(`the password of ${JSON.stringify(user)} is wrong`)
    }
    const answer = base64(keyed(this.#options, fromHex(credential.serverKey), message))
    return { token: utf8(`v=${answer}`), user }
  }

  /** @throws ScramError where the proof is none */
  #isProven(proof: Uint8Array, message: string, credential: ScramCredential): boolean {
    const storedKey = fromHex(credential.storedKey)
    const signature = keyed(this.#options, storedKey, message)
    if (proof.length !== signature.length) throw new ScramError('the proof has a wrong length')
    const clientKey = proof.map((byte, at) => byte ^ signature[at]!)
    return timingSafeEqual(digest(this.#options, clientKey), storedKey)
  }
}
