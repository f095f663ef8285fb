import { Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'

/** Finds addresses of hosts as a pod of a cluster would, by the cluster's DNS: `orders-bootstrap.streaming.svc`. */
export class ClusterNames {
  readonly #dns = new Resolver({ timeout: 1000, tries: 1 })

  /** By the address of its DNS. */
  constructor(server: string) {
    this.#dns.setServers([server])
  }

  readonly resolve = async (host: string): Promise<string> => {
    if (isIP(host) !== 0) return host
    const name = host.endsWith('.svc') ? `${host}.cluster.local` : host
    const [address] = await this.#dns.resolve4(name)
    if (address === undefined) throw new Error(`${host} has no address`)
    return address
  }
}
