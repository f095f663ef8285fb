import { readFile } from 'node:fs/promises'
import { endpointText } from '../../lib/endpoint-text.ts'

/** How this process reaches the API server and who it is there. Secrets: never logged, never part of an error. */
export interface Credentials {
  /** `https://host:port`, with a path where the server has one. */
  readonly server: string
  readonly tls: {
    readonly ca: string | null
    readonly cert: string | null
    readonly key: string | null
    readonly rejectUnauthorized: boolean
    /** What the server's certificate is for, where that is not the host. */
    readonly servername: string | null
  }
  /** The value of the header of that name; null with client certificates. */
  readonly authorization: string | null
}

/** Where credentials come from. They rotate: what was read is asked for again every minute, and after a 401. */
export interface CredentialSource {
  read(): Promise<Credentials>
}

/** Where the projected token and the certificate authority lie in a pod. */
const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount'

interface InClusterOptions {
  /** KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT. */
  readonly host: string
  readonly port: string
  readonly folder?: string
}

/** The service account of the pod that this process runs in. */
export function inCluster({
  host,
  port,
  folder = serviceAccountFolder,
}: InClusterOptions): CredentialSource {
  return {
    read: async () => {
      const [token, ca] = await Promise.all([
        readFile(`${folder}/token`, 'utf8'),
        readFile(`${folder}/ca.crt`, 'utf8'),
      ])
      return {
        server: `https://${endpointText(host, port)}`,
        tls: { ca, cert: null, key: null, rejectUnauthorized: true, servername: null },
        authorization: `Bearer ${token.trim()}`,
      }
    },
  }
}
