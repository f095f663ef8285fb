/** Whoever read what this process prints may be gone, as a terminal that was closed: nobody is told then, and nothing ends for it. */
export function printToAnybody(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
}
