import { readFileSync } from 'node:fs'
import { packageVersion } from '../env/real/package-version.ts'
import { load, type Loaded } from './config/load.ts'
import type { Settings } from './config/settings.ts'

/** The settings that this process is started with, or others by the same arguments, over `defaults`. @throws ConfigurationError */
export function loadHere(args: readonly string[], defaults: Partial<Settings> = {}): Loaded {
  return load({
    args,
    environment: process.env,
    readFile: path => readFileSync(path, 'utf8'),
    version: softwareVersion(),
    // 0 where it cannot be known.
    memoryBytesMax: process.constrainedMemory() || Infinity,
    defaults,
  })
}

/** Changes with each start of the kernel; empty where the system does not tell, which counts as "changed". */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}

/** Of this package. */
export function softwareVersion(): string {
  return packageVersion(import.meta.dirname)
}
