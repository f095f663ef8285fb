/** Where a cluster's metadata log is in etcd. */
export interface EtcdPlace {
  /** `http://host:port` of each member. */
  readonly urls: readonly string[]
  /** What its keys begin with. */
  readonly prefix: string
}

const form = /^etcd:\/\/([^/]+)\/([A-Za-z0-9._-]{1,100})$/

/** Reads `etcd://host:port[,host:port ...]/cluster`; null where it is no such thing. */
export function etcdPlace(text: string): EtcdPlace | null {
  const [, members = '', cluster = ''] = form.exec(text) ?? []
  const urls = members.split(',').map(member => `http://${member}`)
  const isUsable =
    cluster !== '' && urls.every(url => URL.canParse(url) && new URL(url).port !== '')
  return isUsable ? { urls, prefix: `/logcluster/${cluster}/` } : null
}
