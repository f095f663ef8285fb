let lastId = 0

/** The next `Connection.id`: one sequence for every Network of the process. */
export function nextConnectionId(): number {
  return ++lastId
}
