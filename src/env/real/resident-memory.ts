/** Bytes of this process in memory; null where the system does not tell: asking takes a descriptor. */
export function residentBytes(): number | null {
  return memoryOrNull()?.rss ?? null
}

/** What Node says of its memory; null where the system does not tell. */
export function memoryOrNull(): NodeJS.MemoryUsage | null {
  try {
    return process.memoryUsage()
  } catch {
    return null
  }
}
