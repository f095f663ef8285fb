import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

type Collect = (how: { readonly type: 'major'; readonly flavor: 'last-resort' }) => void

/**
 * How to collect garbage in this thread, and give back what it held, buffers and the memory of addons too; it takes
 * some milliseconds, more where the heap is large. V8's own function is only seen by contexts that are made while the
 * flag is set.
 */
export function collector(): () => void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as Collect
  setFlagsFromString('--no-expose-gc')
  return () => collect({ type: 'major', flavor: 'last-resort' })
}

/**
 * Has short-lived garbage of this process collected by the thread that made it, alone. V8 would share the work with threads of its
 * own, and the pause ends when the last of them was given a processor: that took 2.9 ms in the median where one
 * thread takes 0.6 (decision 0010). What survives is little here, so that there is little to share.
 */
export function scavengeAlone(): void {
  setFlagsFromString('--no-parallel-scavenge')
}
