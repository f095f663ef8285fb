/** Units in one, as Kubernetes counts: no amount is finer. */
const nano = 1_000_000_000n

/** Units in an amount with that suffix, as a power of ten or of two. */
const decimal: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
}
const binary: Readonly<Record<string, bigint>> = {
  Ki: 10n,
  Mi: 20n,
  Gi: 30n,
  Ti: 40n,
  Pi: 50n,
  Ei: 60n,
}

/** A number with a suffix of either kind, or with an exponent, and not with both. */
const form = /^([+-]?)(\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d{1,3})|([numkMGTPE]|[KMGTPE]i)?)$/

/** A quantity of Kubernetes as a number; null where the text is none. */
export function quantityOf(given: string | number | undefined): number | null {
  const nanos = nanosOf(given)
  return nanos === null ? null : Number(nanos / nano) + Number(nanos % nano) / Number(nano)
}

/** Whether both are quantities, of exactly the same amount. */
export function areSameQuantity(a: string | number, b: string | number): boolean {
  const amount = nanosOf(a)
  return amount !== null && amount === nanosOf(b)
}

/** In billionths. What is finer is rounded away from zero, as the API server does. */
function nanosOf(given: string | number | undefined): bigint | null {
  const match = form.exec(String(given ?? ''))
  if (match === null) return null
  const [, sign, digits = '', exponent, suffix = ''] = match
  const [whole = '', fraction = ''] = digits.split('.')
  const ten = (exponent === undefined ? (decimal[suffix] ?? 0) : Number(exponent)) + 9
  const tenths = ten - fraction.length
  const units = BigInt(whole + fraction) << (binary[suffix] ?? 0n)
  const amount =
    tenths >= 0 ? units * 10n ** BigInt(tenths) : roundedUp(units, 10n ** BigInt(-tenths))
  return sign === '-' ? -amount : amount
}

function roundedUp(units: bigint, parts: bigint): bigint {
  return (units + parts - 1n) / parts
}
