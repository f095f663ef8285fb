const factors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}

/** A quantity of Kubernetes as a number; null where the text is none. */
export function quantityOf(given: string | number | undefined): number | null {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([numkMGTPE]|[KMGTPE]i)?$/.exec(
    String(given ?? ''),
  )
  return match === null ? null : Number(match[1]) * factors[match[2] ?? '']!
}

/** Whether both are quantities, of the same amount. */
export function areSameQuantity(a: string | number, b: string | number): boolean {
  const amount = quantityOf(a)
  return amount !== null && amount === quantityOf(b)
}
