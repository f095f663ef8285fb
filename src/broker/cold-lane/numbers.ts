/** What the cold lane tells of a group, in the shape that `/metrics` renders. */
export interface ColdReadNumbers {
  /** '' for readers of no group, or whose group is not certain. */
  readonly group: string
  /** Jobs that went to the disk, and what they sent; since the start of the process. */
  readonly jobs: number
  readonly bytes: number
  /** How long they had waited for their turn, together. */
  readonly waitSeconds: number
  /** Jobs that wait now. */
  readonly waiting: number
}
