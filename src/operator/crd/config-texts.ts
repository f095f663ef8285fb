/** What a `spec.config` says to a broker. */
export interface ConfigTexts {
  /** Each setting as text, which is how Kafka's protocol and properties files have it. */
  readonly texts: ReadonlyMap<string, string>
  /** A sentence for each value that is none. The other settings are as good as without it. */
  readonly complaints: readonly string[]
}

/** Reads a `spec.config`. The API server lets every value pass there, so `config` may hold more than its type says. */
export function configTexts(config: Readonly<Record<string, unknown>>): ConfigTexts {
  const texts = new Map<string, string>()
  const complaints: string[] = []
  for (const [name, value] of Object.entries(config)) {
    const complaint = complaintAbout(value)
    if (complaint === null) texts.set(name, String(value))
    else complaints.push(`${name} ${complaint}`)
  }
  return { texts, complaints }
}

function complaintAbout(value: unknown): string | null {
  if (typeof value === 'string' || typeof value === 'boolean') return null
  if (typeof value !== 'number') return 'must be text, a number, true or false'
  // JSON.parse has rounded it already, so what the user wrote is not known any more.
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) return 'is a number beyond 2^53: put it in quotes'
  return null
}
