/** A host and a port as one text, as URLs and bootstrap servers have it: an IPv6 address stands in brackets. */
export function endpointText(host: string, port: number | string): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
