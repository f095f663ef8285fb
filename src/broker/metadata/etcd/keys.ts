interface Keys {
  readonly from: string
  readonly to: string
}

/** The names of a log's keys: ascending as their numbers. */
export class EtcdKeys {
  readonly end: string
  readonly snapshot: string
  readonly lease: string
  readonly records: Keys
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = prefix
    this.end = `${prefix}end`
    this.snapshot = `${prefix}snapshot`
    this.lease = `${prefix}controller`
    this.records = under(`${prefix}log`)
  }

  record(sequence: number): string {
    return `${this.records.from}${digits(sequence)}`
  }

  recordsUpTo(sequence: number): Keys {
    return { from: this.records.from, to: this.record(sequence + 1) }
  }

  /** Of one content: two writers of one snapshot write the same, and of two snapshots each its own. */
  snapshotId(sequence: number, contentHash: string): string {
    return `${this.#prefix}chunks/${digits(sequence)}-${contentHash.slice(0, 16)}`
  }

  chunks(id: string): Keys {
    return under(id)
  }

  chunk(id: string, index: number): string {
    return `${under(id).from}${String(index).padStart(4, '0')}`
  }

  snapshotsBut(id: string): Keys[] {
    const all = under(`${this.#prefix}chunks`)
    const own = under(id)
    return [
      { from: all.from, to: own.from },
      { from: own.to, to: all.to },
    ]
  }
}

/** All keys in a folder: '0' is what comes after '/'. */
function under(folder: string): Keys {
  return { from: `${folder}/`, to: `${folder}0` }
}

function digits(sequence: number): string {
  return String(sequence).padStart(20, '0')
}
