/** A record as every client of these suites can say it. */
export interface Sample {
  readonly key: string | null
  readonly value: string | null
  readonly headers: Readonly<Record<string, string>>
}

/**
 * Records of every shape: with and without key, value and headers, empty, long, not ASCII. Compressible, or
 * clients would leave a batch as it is. The same for the same `seed`.
 */
export function samples(seed: string): Sample[] {
  return [
    { key: 'plain', value: `${seed} plain`, headers: {} },
    { key: null, value: `${seed} no key`, headers: {} },
    { key: 'tombstone', value: null, headers: {} },
    { key: 'empty value', value: '', headers: {} },
    { key: '', value: `${seed} empty key`, headers: {} },
    { key: 'Schlüssel 鍵 🔑', value: `${seed} Wert 値 💎`, headers: { süß: 'sauer 酸' } },
    { key: 'headers', value: `${seed} headers`, headers: { a: '1', b: 'two', empty: '' } },
    { key: 'long', value: `${seed} long `.repeat(5000), headers: { long: 'h'.repeat(2000) } },
    ...Array.from({ length: 50 }, (_, at) => ({
      key: `key ${at % 7}`,
      value: `${seed} value ${at} `.repeat(5),
      headers: { at: String(at) },
    })),
  ]
}
