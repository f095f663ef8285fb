import type { Images } from './images.ts'
import type { Machines } from './machines.ts'
import type { State } from './states.ts'

/** A state that must not be. */
export class Violation extends Error {}

interface Known {
  readonly machines: Machines
  readonly images: Images
}

/** What must hold in every state (KIP-966's model has these names), until somebody accepts that records are lost. @throws Violation */
export function check(model: Known, { history, nodes, acked, committed }: State): void {
  const { partition, isr, elr } = model.images.known(history.at(-1)!)
  const { leader, leaderEpoch, isRecovering } = partition
  if (isRecovering) return
  if (leader > 0 && !nodes[leader - 1]!.isLossy) {
    const { log } = nodes[leader - 1]!
    for (const { offset, id } of acked) {
      if (log[offset]?.id === id) continue
      throw new Violation(
        `leader completeness: broker ${leader} leads in epoch ${leaderEpoch} without record ${offset}`,
      )
    }
  }
  for (const id of [...isr, ...elr]) {
    const { log, isLossy } = nodes[id - 1]!
    if (isLossy || committed.every((entry, at) => log[at]?.id === entry.id)) continue
    throw new Violation(
      `candidate completeness: broker ${id} is eligible without all that is committed`,
    )
  }
  const node = leader > 0 ? nodes[leader - 1]! : null
  if (node === null || node.machine < 0 || isr.length < 2) return
  const view = model.machines.view(node.machine)
  if (!view.isLeader || view.role!.leaderEpoch !== leaderEpoch) return
  const missing = [...isr, ...elr].find(id => !view.maximalIsr.includes(id))
  if (missing === undefined) return
  throw new Violation(
    `quorum superset: leader ${leader} does not count broker ${missing}, which is in sync`,
  )
}
