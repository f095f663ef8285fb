/**
 * Text codecs of Node's Buffer that take any Uint8Array: a frame is one, and making a Buffer of it costs more
 * than reading a topic name. They are what `Buffer.toString` and `Buffer.write` call.
 */
interface BufferText {
  utf8Slice: (this: Uint8Array, from: number, to: number) => string
  latin1Slice: (this: Uint8Array, from: number, to: number) => string
  utf8Write: (this: Uint8Array, text: string, at: number, sizeMax: number) => number
  base64urlSlice: (this: Uint8Array, from: number, to: number) => string
}

const { utf8Slice, latin1Slice, utf8Write, base64urlSlice } =
  Buffer.prototype as unknown as BufferText

/** Text of `bytes[from, to)`; what is not UTF-8 comes out as U+FFFD. */
export function readUtf8(bytes: Uint8Array, from: number, to: number): string {
  return utf8Slice.call(bytes, from, to)
}

/** `bytes[from, to)` as a string that has one character for each byte: to find the same bytes again. */
export function readLatin1(bytes: Uint8Array, from: number, to: number): string {
  return latin1Slice.call(bytes, from, to)
}

/** Writes as many whole characters of `text` as fit into `bytes[at, at + sizeMax)`. */
export function writeUtf8(bytes: Uint8Array, at: number, text: string, sizeMax: number): void {
  utf8Write.call(bytes, text, at, sizeMax)
}

export function readBase64url(bytes: Uint8Array, from: number, to: number): string {
  return base64urlSlice.call(bytes, from, to)
}
