/** One number that only grows; raising it costs an addition. */
export interface Cell {
  value: number
}

/**
 * A counter with labels, kept as plain numbers and read at each scrape: the way of a request raises cells that
 * it looked up once, and never hashes labels.
 */
export class Tally<Label extends string> {
  readonly #labels: readonly Label[]
  readonly #cells = new Map<string, { labels: Record<Label, string>; cell: Cell }>()

  constructor(labels: readonly Label[]) {
    this.#labels = labels
  }

  /** The cell of these values, in the order of the labels. Keep it. */
  cell(...values: readonly string[]): Cell {
    const key = values.join('\u0000')
    const known = this.#cells.get(key)
    if (known !== undefined) return known.cell
    const labels = Object.fromEntries(
      this.#labels.map((label, at) => [label, values[at] ?? '']),
    ) as Record<Label, string>
    const cell = { value: 0 }
    this.#cells.set(key, { labels, cell })
    return cell
  }

  /** Every cell that exists, as samples. */
  *samples(): Iterable<Sample> {
    for (const { labels, cell } of this.#cells.values()) yield { labels, value: cell.value }
  }
}

/** A value with its labels, as a scrape shows it. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}
