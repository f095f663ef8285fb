/** A payload that does not decompress, or becomes more than it may. The sender's mistake or malice. */
export class DecompressError extends Error {
  override readonly name = 'DecompressError'

  static tooLarge(outputBytesMax: number): DecompressError {
    return new DecompressError(
      `they become more than ${outputBytesMax} bytes, the most that is decompressed here; send smaller batches`,
    )
  }

  /** The same, as a sentence that says of what. */
  of(codecName: string, packedBytes: number): DecompressError {
    const subject = `The records (${packedBytes} bytes of ${codecName})`
    return new DecompressError(`${subject} cannot be decompressed: ${this.message}.`)
  }
}
