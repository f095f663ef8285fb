import { type Disk, DiskError, type DiskFile } from './disk.ts'

/**
 * A file of ours that grows at its end by what must be durable, one write after another. What a crash or a failed write left
 * behind that end counts for nothing: the next write takes its place.
 */
export class AppendedFile {
  readonly #disk: Disk
  readonly #path: string
  #file: DiskFile | null = null
  #endsAt: number

  /** `endsAt`: bytes of it that count. It must exist when something is appended, and is opened then. */
  constructor(disk: Disk, path: string, endsAt: number) {
    this.#disk = disk
    this.#path = path
    this.#endsAt = endsAt
  }

  /** Resolves when `content` is durable. One call at a time. @throws DiskError, and then it can be called again */
  async append(content: Uint8Array): Promise<void> {
    this.#file ??= this.#open()
    try {
      this.#file.write(this.#endsAt, [content])
    } catch (error) {
      if (error instanceof DiskError && error.written > 0) this.#file.truncate(this.#endsAt)
      throw error
    }
    await this.#file.sync()
    this.#endsAt += content.length
  }

  close(): void {
    this.#file?.close()
    this.#file = null
  }

  /** What is torn at the end is cut, since a shorter write would leave the rest of it behind itself. */
  #open(): DiskFile {
    const file = this.#disk.open(this.#path, 'write')
    if (file.size() > this.#endsAt) file.truncate(this.#endsAt)
    return file
  }
}
