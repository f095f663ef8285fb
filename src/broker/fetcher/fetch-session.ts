/**
 * Our end of a fetch session (KIP-227): after a full request only what changed is asked for, and after a full answer only
 * what is new is told. The leader gives the id; whoever says an id with epoch 0 ends that session and begins another.
 */
export class FetchSession {
  #id = 0
  /** Of the next request; 0: it is a full one. */
  #epoch = 0

  get isFull(): boolean {
    return this.#epoch === 0
  }

  /** What the next request says of the session. */
  advance(): { readonly sessionId: number; readonly sessionEpoch: number } {
    const said = { sessionId: this.#id, sessionEpoch: this.#epoch }
    if (this.#epoch > 0) this.#epoch = this.#epoch === 0x7fffffff ? 1 : this.#epoch + 1
    return said
  }

  /** A full request was answered; without an id where the leader has no room for a session. */
  begin(id: number): void {
    this.#id = id
    this.#epoch = id === 0 ? 0 : 1
  }

  /** The next request is a full one, and ends what there is of a session. */
  restart(): void {
    this.#epoch = 0
  }

  /** The leader does not know the session: there is nothing to end. */
  forget(): void {
    this.#id = 0
    this.#epoch = 0
  }
}
