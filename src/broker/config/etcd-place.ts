/** Where a cluster's metadata log is in etcd. */
export interface EtcdPlace {
  /** `http://host:port` of each member. */
  readonly urls: readonly string[]
  /** What its keys begin with. */
  readonly prefix: string
}

const form = /^etcd:\/\/([^/]+)\/([A-Za-z0-9._-]{1,100})$/
/** A name or an address, IPv6 in brackets, and a port, without a user before and a path behind. */
const member = /^(\[[0-9A-Fa-f:.]+\]|[^\s@:/?#[\]\\]+):[1-9][0-9]*$/

/** Reads `etcd://host:port[,host:port ...]/cluster`; null where it is no such thing. */
export function etcdPlace(text: string): EtcdPlace | null {
  const [, members = '', cluster = ''] = form.exec(text) ?? []
  const addresses = members.split(',')
  const urls = addresses.map(address => `http://${address}`)
  const isUsable =
    addresses.every(each => member.test(each)) && urls.every(url => URL.canParse(url))
  return isUsable ? { urls, prefix: `/logcluster/${cluster}/` } : null
}

/** What is wrong with a place in etcd whose form does not tell; null where the form does. Holds nothing of the text: it may be a password. */
export function etcdPlaceProblem(text: string): string | null {
  if (!/^etcd:.*@/.test(text)) return null
  return 'metadata.store names a user of etcd, which is reached without authentication and without TLS: leave out what is before the @'
}
