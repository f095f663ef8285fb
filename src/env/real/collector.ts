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
