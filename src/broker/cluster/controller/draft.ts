import type { MetadataImage } from '../../metadata/image.ts'
import {
  batchOverheadBytes,
  encodeRecord,
  joinBatch,
  type MetadataRecord,
} from '../../metadata/records.ts'
import type { Answer } from './commands.ts'
import { encodedBytes } from './parts.ts'

export interface Answered {
  readonly id: number
  readonly answer: Answer
}

/** One append. */
export interface Batch {
  readonly payload: Uint8Array
  readonly records: readonly MetadataRecord[]
  /** As it will be when the batch is committed. */
  readonly image: MetadataImage
  readonly answers: readonly Answered[]
}

/** Records as they are to be appended. */
export interface EncodedRecords {
  readonly records: readonly MetadataRecord[]
  readonly texts: readonly string[]
  /** Of the texts, with a comma each. */
  readonly bytes: number
}

export function encodedRecords(records: readonly MetadataRecord[]): EncodedRecords {
  const texts = records.map(encodeRecord)
  return { records, texts, bytes: texts.reduce((sum, text) => sum + encodedBytes(text), 0) }
}

/** A batch that is being decided: what comes next is decided upon `image`. */
export class Draft {
  readonly #records: MetadataRecord[] = []
  readonly #texts: string[] = []
  readonly #answers: Answered[] = []
  readonly #bytesMax: number
  #image: MetadataImage
  #bytes = batchOverheadBytes

  /** `bytesMax`: of a batch; the first records may be larger alone. */
  constructor(image: MetadataImage, bytesMax: number) {
    this.#image = image
    this.#bytesMax = bytesMax
  }

  get image(): MetadataImage {
    return this.#image
  }

  get bytes(): number {
    return this.#bytes
  }

  get answers(): readonly Answered[] {
    return this.#answers
  }

  hasRoomFor({ bytes }: EncodedRecords): boolean {
    return this.#records.length === 0 || this.#bytes + bytes <= this.#bytesMax
  }

  add({ records, texts, bytes }: EncodedRecords, image: MetadataImage): void {
    this.#image = image
    this.#bytes += bytes
    for (const record of records) this.#records.push(record)
    for (const text of texts) this.#texts.push(text)
  }

  answer(answered: Answered): void {
    this.#answers.push(answered)
  }

  /** null: there is nothing to append. */
  batch(): Batch | null {
    if (this.#records.length === 0) return null
    const [records, image, answers] = [this.#records, this.#image, this.#answers]
    return { payload: joinBatch(this.#texts), records, image, answers }
  }
}
