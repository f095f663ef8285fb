import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface KeyPair {
  readonly certificate: string
  readonly key: string
}

/** What openssl makes of a request: an authority, or one of those that it vouches for. */
const extensions = `[req]
distinguished_name = subject
[subject]
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth,clientAuth
authorityKeyIdentifier = keyid
`

/** A cluster's own authority, which lies in a folder. By the installed openssl, 10 ms a certificate. */
export class Authority {
  readonly certificate: string
  readonly #key: string
  readonly #folder: string
  readonly #config: string

  constructor(folder: string) {
    this.#folder = folder
    this.certificate = join(folder, 'ca.crt')
    this.#key = join(folder, 'ca.key')
    this.#config = join(folder, 'openssl.cnf')
  }

  static create(folder: string): Authority {
    const authority = new Authority(folder)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    writeFileSync(authority.#config, extensions)
    authority.#request('ca', '/CN=logcluster-test', ['-extensions', 'authority'])
    return authority
  }

  /**
   * A certificate for `/O=GROUP/CN=USER`, which is whom Kubernetes takes its bearer for, and for what is served
   * under `alternatives`, such as `IP:127.0.0.1`.
   */
  issue(name: string, subject: string, alternatives: readonly string[] = []): KeyPair {
    const names = alternatives.length === 0 ? [] : [`subjectAltName=${alternatives.join(',')}`]
    const signedBy = ['-CA', this.certificate, '-CAkey', this.#key]
    const named = names.flatMap(name => ['-addext', name])
    return this.#request(name, subject, ['-extensions', 'leaf', ...signedBy, ...named])
  }

  #request(name: string, subject: string, more: readonly string[]): KeyPair {
    const pair = { certificate: this.#path(`${name}.crt`), key: this.#path(`${name}.key`) }
    const itself = ['-config', this.#config, '-days', '365', '-subj', subject, ...more]
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    const files = ['-keyout', pair.key, '-out', pair.certificate]
    openssl(['req', '-x509', ...itself, ...key, ...files])
    return pair
  }

  /** What ServiceAccounts' tokens are signed with, and checked. */
  signingKeys(): { readonly privateKey: string; readonly publicKey: string } {
    const [privateKey, publicKey] = [this.#path('sa.key'), this.#path('sa.pub')]
    openssl(['genrsa', '-out', privateKey, '2048'])
    openssl(['rsa', '-in', privateKey, '-pubout', '-out', publicKey])
    return { privateKey, publicKey }
  }

  #path(name: string): string {
    return join(this.#folder, name)
  }
}

function openssl(args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}
