import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { run, type RunResult } from '../helpers/run.ts'
import { helmProgram, type HelmMajor } from '../kubernetes/programs/fetched.ts'

export const chart = join(import.meta.dirname, '../../charts/logcluster')

/** As much of a Kubernetes object as these tests look at. */
export interface Rendered {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly [field: string]: unknown
}

export interface Values {
  readonly [name: string]: unknown
}

/** Which release of which chart, where it is not `here` of ours. */
interface Release {
  readonly release?: string
  readonly folder?: string
}

/** `helm template` of the chart as release `here` in namespace `logcluster-system`. Helm 3 takes an old Kubernetes for granted. */
export async function render(
  values: Values,
  major: HelmMajor = 4,
  of: Release = {},
): Promise<string> {
  const { stdout } = await template(values, major, false, of)
  return stdout
}

/** As `render`, for values that Helm may refuse. */
export function template(
  values: Values,
  major: HelmMajor,
  anyStatus = false,
  { release = 'here', folder = chart }: Release = {},
): Promise<RunResult> {
  const args = ['template', release, folder, '--namespace', 'logcluster-system']
  return run(helmProgram(major), [...args, '--kube-version', '1.36.3', '--values', '-'], {
    input: JSON.stringify(values),
    anyStatus,
  })
}

/** The objects of a rendered chart. */
export function objectsOf(text: string): Rendered[] {
  return parseAllDocuments(text)
    .map(document => document.toJS() as Rendered | null)
    .filter(object => object !== null)
}
