import { Histogram, type MetricObjectWithValues, type MetricValueWithName } from 'prom-client'

/** How many took how long. To observe is an addition: prom-client would make a string of each bound that it meets. */
export interface Duration {
  observe(seconds: number): void
}

interface Counted {
  readonly value: string
  /** By bound, and behind the last those above it. */
  readonly counts: Float64Array
  sum: number
}

/** prom-client's histogram of one label, kept as plain numbers and put together at each scrape. */
export class DurationHistogram<Label extends string> extends Histogram<Label> {
  readonly #name: string
  readonly #help: string
  readonly #label: Label
  readonly #bounds: readonly number[]
  readonly #counted: Counted[] = []

  constructor(name: string, help: string, label: Label, bounds: readonly number[]) {
    super({ name, help, labelNames: [label], buckets: [...bounds], registers: [] })
    this.#name = name
    this.#help = help
    this.#label = label
    this.#bounds = bounds
  }

  /** Of one value of the label; it is told from the first observation on. Keep it. */
  duration(value: string): Duration {
    const bounds = this.#bounds
    const counted = { value, counts: new Float64Array(bounds.length + 1), sum: 0 }
    this.#counted.push(counted)
    return {
      observe: seconds => {
        let at = 0
        while (at < bounds.length && seconds > bounds[at]!) at++
        counted.counts[at]!++
        counted.sum += seconds
      },
    }
  }

  override async get(): Promise<MetricObjectWithValues<MetricValueWithName<Label>>> {
    const values = this.#counted.flatMap(counted => this.#samples(counted))
    const told = { name: this.#name, help: this.#help, type: 'histogram', values }
    return { ...told, aggregator: 'sum' } as unknown as MetricObjectWithValues<
      MetricValueWithName<Label>
    >
  }

  /** What a registry asks first where a metric has it. */
  getForPromString(): Promise<MetricObjectWithValues<MetricValueWithName<Label>>> {
    return this.get()
  }

  #samples({ value, counts, sum }: Counted): unknown[] {
    const own = { [this.#label]: value }
    let count = 0
    const buckets = [...this.#bounds, '+Inf'].map((le, at) => {
      count += counts[at]!
      return { metricName: `${this.#name}_bucket`, labels: { le, ...own }, value: count }
    })
    if (count === 0) return []
    return [
      ...buckets,
      { metricName: `${this.#name}_sum`, labels: own, value: sum },
      { metricName: `${this.#name}_count`, labels: own, value: count },
    ]
  }
}
