/** Every circle of a graph, as one line that names its nodes in order. */
export function circlesOf(targets: ReadonlyMap<string, readonly string[]>): string[] {
  return stronglyConnected(targets)
    .filter(circle => circle.length > 1 || targets.get(circle[0]!)!.includes(circle[0]!))
    .map(circle => circle.toSorted().join(' <-> '))
    .toSorted()
}

/** Tarjan's algorithm: the groups of nodes that all reach one another. */
function stronglyConnected(targets: ReadonlyMap<string, readonly string[]>): string[][] {
  const groups: string[][] = []
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const open: string[] = []
  const visit = (node: string): void => {
    order.set(node, order.size)
    lowest.set(node, order.get(node)!)
    open.push(node)
    for (const target of targets.get(node)!) {
      if (!order.has(target)) visit(target)
      else if (!open.includes(target)) continue
      lowest.set(node, Math.min(lowest.get(node)!, lowest.get(target)!))
    }
    if (lowest.get(node) === order.get(node)) groups.push(open.splice(open.indexOf(node)))
  }
  for (const node of targets.keys()) if (!order.has(node)) visit(node)
  return groups
}
