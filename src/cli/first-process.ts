/** What a shell says of a process that a signal ended: 128 and the signal's number. */
const signals = { SIGTERM: 143, SIGINT: 130 } as const

type Self = Pick<NodeJS.Process, 'pid' | 'on' | 'listenerCount' | 'exit'>

/**
 * In a container a command is process 1, to which the kernel gives only the signals that it listens for (pid_namespaces(7)): until a
 * broker or operator does, and in commands that never do, a stop would wait for the end of its grace period. The process ends here
 * then, as any other does by default.
 */
export function endAsOthersDo(self: Self): void {
  if (self.pid !== 1) return
  for (const [signal, code] of Object.entries(signals)) {
    self.on(signal, () => {
      if (self.listenerCount(signal) === 1) self.exit(code)
    })
  }
}
