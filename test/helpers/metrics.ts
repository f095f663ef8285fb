/** One line of `/metrics`. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** What a broker's `/metrics` tells now. */
export async function metricsOf(broker: { readonly http: string }): Promise<Sample[]> {
  const response = await fetch(`http://${broker.http}/metrics`, {
    headers: { connection: 'close' },
  })
  if (!response.ok) throw new Error(`/metrics answered ${response.status}`)
  return samplesIn(await response.text())
}

/** Sum of all samples of a metric that have these labels; NaN where there is none. */
export function sumOf(
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const found = samples.filter(
    sample =>
      sample.name === name &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  )
  return found.length === 0 ? Number.NaN : found.reduce((sum, sample) => sum + sample.value, 0)
}

/** The samples of a scrape. */
export function samplesIn(text: string): Sample[] {
  return text.split('\n').flatMap(line => {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line)
    if (match === null) return []
    const labels = [...(match[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)]
    return [
      {
        name: match[1]!,
        labels: Object.fromEntries(labels.map(([, label, value]) => [label!, value!])),
        value: Number(match[3]),
      },
    ]
  })
}
