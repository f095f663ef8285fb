type Tree = Record<string, unknown>

/** Maps of which the API server keeps every entry, whatever its text. */
const maps: ReadonlySet<string> = new Set([
  'annotations',
  'data',
  'labels',
  'matchLabels',
  'nodeSelector',
  'status',
])

/** What Kubernetes drops where it is empty (`omitempty`); pointers to structs stay. */
const droppedMaps: ReadonlySet<string> = new Set([
  'annotations',
  'labels',
  'limits',
  'matchLabels',
  'nodeSelector',
  'requests',
])

const amounts: ReadonlySet<string> = new Set(['limits', 'requests'])

/** An object of Kubernetes' own kinds as the API server keeps it: without what is empty, and with amounts in a form of its own. */
export function asStored(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map(each => asStored(each))
  if (typeof value !== 'object' || value === null) return value
  const isMap = maps.has(key)
  const entries = Object.entries(value as Tree).flatMap(([each, inner]): [string, unknown][] => {
    if (isMap) return [[each, inner]]
    if (amounts.has(key) || each === 'sizeLimit') return [[each, storedAmount(String(inner))]]
    return isDropped(each, inner) ? [] : [[each, asStored(inner, each)]]
  })
  return Object.fromEntries(entries)
}

function isDropped(key: string, value: unknown): boolean {
  if (value === '') return true
  if (Array.isArray(value)) return value.length === 0
  const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0
  return isEmpty && droppedMaps.has(key)
}

const binary = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
const decimal = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E']

/** `0.35` as `350m`, `1024Mi` as `1Gi`, `2.3Gi` as `2469606195200m`: the largest unit of which it is a whole number. */
function storedAmount(text: string): string {
  const [, digits = '', exponent = '0', suffix = ''] = /^([\d.]+)(?:[eE]([+-]?\d+))?(\D*)$/.exec(
    text,
  )!
  const [whole = '', fraction = ''] = digits.split('.')
  const two = BigInt(10 * Math.max(0, binary.indexOf(suffix)))
  const ten = suffix === '' || binary.includes(suffix) ? 9 : 3 * decimal.indexOf(suffix)
  const zeros = ten + Number(exponent) - fraction.length
  let nanos = BigInt(whole + fraction) << two
  nanos = zeros >= 0 ? nanos * 10n ** BigInt(zeros) : ceil(nanos, 10n ** BigInt(-zeros))
  const ones = nanos / 1_000_000_000n
  if (two > 0n && ones >= 1024n && ones * 1_000_000_000n === nanos)
    return inUnits(ones, 1024n, binary)
  return nanos === 0n ? '0' : inUnits(nanos, 1000n, decimal)
}

function inUnits(count: bigint, step: bigint, units: readonly string[]): string {
  let at = 0
  while (count % step === 0n && at < units.length - 1) {
    count /= step
    at++
  }
  return `${count}${units[at]}`
}

function ceil(amount: bigint, parts: bigint): bigint {
  return (amount + parts - 1n) / parts
}
