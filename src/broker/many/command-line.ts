/**
 * What somebody types for `logcluster` where this file lies: a checkout has no command before it is built, a package lies in a
 * `node_modules`, and an image has it on its PATH.
 */
export function commandLine(file: string): string {
  if (file.endsWith('.ts')) return 'npm run -s logcluster --'
  return file.includes('/node_modules/') ? 'npx logcluster' : 'logcluster'
}
