import type { Reader } from './reader.ts'
import type { StructShape } from './shape.ts'
import type { Writer } from './writer.ts'

/** The two functions of one message in one version. `decode` throws a WireError and nothing else. */
export interface Coding {
  readonly decode: (reader: Reader) => unknown
  readonly encode: (writer: Writer, message: unknown) => void
}

/** A way to make them. `name` is part of a file name. */
export type MakeCoding = (shape: StructShape, name: string) => Coding
