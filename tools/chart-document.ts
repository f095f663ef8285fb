import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isMap, isScalar, parseDocument, type Pair, type YAMLMap } from 'yaml'

const chart = join(import.meta.dirname, '../charts/logcluster')

interface Value {
  readonly name: string
  readonly byDefault: string
  readonly text: string
}

/** charts/logcluster/README.md: its values, with the comments of values.yaml. */
export function chartDocument(): string {
  const values = valuesOf(readFileSync(join(chart, 'values.yaml'), 'utf8'))
  const rows = values.map(
    ({ name, byDefault, text }) =>
      `| \`${name}\` | ${byDefault} | ${text.replaceAll('|', '\\|')} |`,
  )
  return `# The chart of LogCluster

<!-- Written by \`node tools/generate-docs.ts\` from values.yaml: change it there. -->

The operator of LogCluster, with its CRDs, roles, dashboards and alerts. Kubernetes 1.33 or newer, Helm 3.17 or newer. Nothing is
published: build the image and load it on your nodes, or push it to a registry of yours and set \`image.repository\`.
[docs/kubernetes.md](../../docs/kubernetes.md) is the way from there to a broker.

\`\`\`
helm install logcluster charts/logcluster --namespace logcluster-system --create-namespace
helm test logcluster --namespace logcluster-system --logs
\`\`\`

\`helm test\` makes a LogCluster of its own, produces and consumes, and leaves nothing behind. \`helm upgrade\` upgrades the CRDs too; \`helm uninstall\`
keeps them, and with them all clusters, whose brokers serve on. Under another release name: \`helm install --take-ownership\`.

The operator may do what [templates/_rules.tpl](templates/_rules.tpl) lists, in all namespaces by a ClusterRole, or with \`watchNamespaces\` in those by Roles. It gives each
cluster's brokers a Role of their own (get and update on the ConfigMaps of the metadata log and on one Lease, by name), so it has these verbs itself.

| value | default | |
|---|---|---|
${rows.join('\n')}
`
}

/** Every value without values below it, and every map that has a comment of its own and none inside. */
function valuesOf(text: string): Value[] {
  const { contents } = parseDocument(text)
  return isMap(contents) ? valuesIn(contents, '') : []
}

function valuesIn(map: YAMLMap, prefix: string): Value[] {
  return map.items.flatMap(pair => {
    const name = `${prefix}${String(pair.key)}`
    const { value } = pair as Pair<unknown, unknown>
    // A map in braces is one value; the others only hold some together.
    if (isMap(value) && !value.flow) return valuesIn(value, `${name}.`)
    return [{ name, byDefault: defaultOf(value), text: commentOf(map, pair as Pair) }]
  })
}

function defaultOf(value: unknown): string {
  const json = JSON.stringify(isScalar(value) ? value.value : value)
  return `\`${json}\``
}

/** The paragraph right above the entry; that of a map's first entry is kept by the map itself. */
function commentOf(map: YAMLMap, pair: Pair): string {
  const own = (pair.key as { commentBefore?: string | null }).commentBefore
  const first = map.items[0] === pair ? map.commentBefore : null
  const nearest = (own ?? first ?? '').split(/\n\s*\n/).at(-1)!
  return nearest
    .split('\n')
    .map(line => line.trim())
    .join(' ')
    .trim()
}
