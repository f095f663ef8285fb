import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { run, type RunOptions, type RunResult } from '../../helpers/run.ts'
import { type HelmMajor, helmProgram, kubectlProgram } from '../programs/fetched.ts'
import { AuditLog } from './audit.ts'
import { Authority } from './certificates.ts'
import { urlOf, writeKubeconfig } from './kubeconfig.ts'
import { Link } from './link.ts'

/** What a process needs to be a ServiceAccount: for clients that read a kubeconfig, and for those that read the files of a pod. */
export interface ServiceAccountAccess {
  readonly kubeconfig: string
  readonly url: string
  readonly token: string
  readonly tokenFile: string
  readonly authorityFile: string
}

/** Of a member of `system:masters`, who may do everything. */
export function adminKubeconfig(folder: string): string {
  return join(folder, 'admin.kubeconfig')
}

/** The ways to the API server of the cluster in `folder`. */
export class ApiAccess {
  readonly folder: string
  readonly url: string
  readonly kubeconfig: string
  readonly audit: AuditLog
  readonly #authority: Authority

  constructor(folder: string) {
    this.folder = folder
    this.kubeconfig = adminKubeconfig(folder)
    this.url = urlOf(this.kubeconfig)
    this.audit = new AuditLog(folder)
    this.#authority = new Authority(join(folder, 'pki'))
  }

  /** As an administrator. */
  kubectl(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    const env = { KUBECACHEDIR: join(this.folder, 'kubectl-cache'), ...options.env }
    const all = ['--kubeconfig', this.kubeconfig, ...args]
    return run(kubectlProgram(), all, { ...options, env })
  }

  /** As an administrator; what Helm keeps beside the cluster is in the cluster's folder. */
  helm(args: readonly string[], major: HelmMajor = 4): Promise<RunResult> {
    const home = join(this.folder, `helm-${major}`)
    const env = {
      KUBECONFIG: this.kubeconfig,
      HELM_CACHE_HOME: join(home, 'cache'),
      HELM_CONFIG_HOME: join(home, 'config'),
      HELM_DATA_HOME: join(home, 'data'),
    }
    return run(helmProgram(major), args, { env, timeoutMs: 120_000 })
  }

  /** Applies objects as `kubectl apply --server-side` does. */
  async apply(objects: readonly object[], namespace = 'default'): Promise<void> {
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })
    await this.kubectl(['-n', namespace, 'apply', '--server-side', '-f', '-'], { input })
  }

  /** A namespace that admits no pod but by the strictest of Kubernetes' profiles, *restricted*; one that is there gets that rule. */
  async restrictedNamespace(name: string): Promise<void> {
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' }
    await this.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }])
  }

  /** The kubeconfig of a user, `/O=GROUP/CN=NAME`; by default straight to the API server. */
  kubeconfigOf(subject: string, url = this.url): string {
    const folder = this.#newFolder('user-')
    const as = this.#authority.issue(basename(folder), subject)
    const access = { url, authority: this.#authority.certificate, as }
    return writeKubeconfig(join(folder, 'kubeconfig'), access)
  }

  /** Access as a ServiceAccount that is there, with a token for a day; by default straight to the API server. */
  async serviceAccount(
    namespace: string,
    name: string,
    url = this.url,
  ): Promise<ServiceAccountAccess> {
    const asked = ['create', 'token', name, '-n', namespace, '--duration=24h']
    const token = (await this.kubectl(asked)).stdout.trim()
    const folder = this.#newFolder('service-account-')
    const [tokenFile, authorityFile] = [join(folder, 'token'), join(folder, 'ca.crt')]
    writeFileSync(tokenFile, token, { mode: 0o600 })
    cpSync(this.#authority.certificate, authorityFile)
    const access = { url, authority: authorityFile, as: { token }, namespace }
    const kubeconfig = writeKubeconfig(join(folder, 'kubeconfig'), access)
    return { kubeconfig, url, token, tokenFile, authorityFile }
  }

  /** A way to the API server that can be cut; see `Link`. An administrator's kubeconfig goes with it. */
  async openLink(): Promise<{ readonly link: Link; readonly kubeconfig: string }> {
    const link = await Link.open(this.url)
    const path = join(this.#newFolder('link-'), 'kubeconfig')
    const config = readFileSync(this.kubeconfig, 'utf8').replace(this.url, link.url)
    writeFileSync(path, config, { mode: 0o600 })
    return { link, kubeconfig: path }
  }

  #newFolder(prefix: string): string {
    return mkdtempSync(join(this.folder, prefix))
  }
}
