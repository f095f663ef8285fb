import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { definitions, schemaOf } from '../src/operator/crd/definitions.ts'
import { fieldsOf } from '../src/operator/crd/fields.ts'
import { isKubernetes } from './crds-document.ts'

/** The paths of all fields in `value`, as `fieldsOf` writes them. */
function pathsIn(value: unknown, path: string): string[] {
  if (Array.isArray(value)) return [path, ...value.flatMap(item => pathsIn(item, `${path}[]`))]
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([name, at]) => pathsIn(at, `${path}.${name}`))]
}

const text = readFileSync(join(import.meta.dirname, '../examples/full.yaml'), 'utf8')
const full = parseAllDocuments(text).map(
  document => document.toJSON() as { readonly kind: string; readonly spec: unknown },
)

for (const { kind, spec } of full) {
  test(`examples/full.yaml has every field of ${kind}`, () => {
    const definition = definitions.find(each => each.kind === kind)!
    const shown = new Set(pathsIn(spec, 'spec'))
    const missing = fieldsOf(schemaOf(definition))
      .map(({ path }) => path)
      .filter(path => path.startsWith('spec.') && !isKubernetes.test(path) && !shown.has(path))
    expect(missing).toEqual([])
    expect(() => definition.spec.parse(spec)).not.toThrow()
  })
}

test('examples/full.yaml has what users write', () => {
  expect(full.map(({ kind }) => kind)).toEqual(['LogCluster', 'LogTopic'])
})
