import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder, hashOf, madeOnce, runMaker } from './cache.ts'

const kubernetes = join(import.meta.dirname, '../control-plane')
const dns = join(import.meta.dirname, '../dns')

/** What is built with Go: nobody publishes these programs where a test machine could fetch them. */
const packages = {
  'kube-apiserver': { module: kubernetes, of: 'k8s.io/kubernetes/cmd/kube-apiserver' },
  etcd: { module: kubernetes, of: 'go.etcd.io/etcd/server/v3' },
  'kube-controller-manager': {
    module: kubernetes,
    of: 'k8s.io/kubernetes/cmd/kube-controller-manager',
  },
  'kube-scheduler': { module: kubernetes, of: 'k8s.io/kubernetes/cmd/kube-scheduler' },
  kubelet: { module: kubernetes, of: 'k8s.io/kubernetes/cmd/kubelet' },
  'kube-proxy': { module: kubernetes, of: 'k8s.io/kubernetes/cmd/kube-proxy' },
  coredns: { module: dns, of: '.' },
} as const

export type BuiltProgram = keyof typeof packages

export const builtPrograms = Object.keys(packages) as readonly BuiltProgram[]

/**
 * Where the program is. The folder that KUBEBUILDER_ASSETS names is asked first, as envtest does; then the cache,
 * into which it is built where it is missing: the API server in 7 minutes on two idle cores, all of them in 10.
 */
export function builtProgram(name: BuiltProgram): string {
  const assets = process.env['KUBEBUILDER_ASSETS']
  if (assets !== undefined && existsSync(join(assets, name))) return join(assets, name)
  const { module, of } = packages[name]
  return madeOnce(join(folderOf(module), name), partial => {
    console.log(`Building ${name} into ${folderOf(module)}, once on this machine ...`)
    const flags = [
      '-trimpath',
      '-buildvcs=false',
      '-ldflags',
      `-s -w ${module === kubernetes ? stamp() : ''}`,
    ]
    const env = { CGO_ENABLED: '0', GOFLAGS: '-mod=readonly' }
    runMaker('go', ['build', ...flags, '-o', partial, of], { cwd: module, env })
  })
}

function folderOf(module: string): string {
  if (module === kubernetes) {
    return cacheFolder('kubernetes', kubernetesVersion(), hashOf([join(module, 'go.sum')]))
  }
  return cacheFolder('coredns', hashOf([join(module, 'go.sum'), join(module, 'main.go')]))
}

/** Of Kubernetes, without a v: `1.36.3`. */
export function kubernetesVersion(): string {
  const required = /^\s*(?:require )?k8s\.io\/kubernetes v([\d.]+)/m
  const version = required.exec(readFileSync(join(kubernetes, 'go.mod'), 'utf8'))?.[1]
  if (version === undefined) throw new Error(`${kubernetes}/go.mod requires no k8s.io/kubernetes`)
  return version
}

/** Without it the programs tell a version that kubectl refuses to parse. */
function stamp(): string {
  const version = kubernetesVersion()
  const [major, minor] = version.split('.')
  return ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version']
    .flatMap(place => [
      `-X ${place}.gitVersion=v${version}`,
      `-X ${place}.gitMajor=${major}`,
      `-X ${place}.gitMinor=${minor}`,
      `-X ${place}.gitTreeState=clean`,
    ])
    .join(' ')
}
