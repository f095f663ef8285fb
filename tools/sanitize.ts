/**
 * Runs the addon's tests and the conformance suites over it with AddressSanitizer and UBSan:
 * `node tools/sanitize.ts [test files]`. Exits with 1 on a failed test or a finding, which is printed.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const chosen = process.argv.slice(2)
const tests = chosen.length > 0 ? chosen : ['src/broker/native', 'test/ports/native']
process.exitCode = main()

function main(): number {
  const builder = join(root, 'tools', 'build-native.mjs')
  const built = spawnSync(process.execPath, [builder, '--sanitize'], { stdio: 'inherit' })
  if (built.status !== 0) return 1
  const reports = mkdtempSync(join(tmpdir(), 'logcluster-sanitize-'))
  const runner = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const run = spawnSync(process.execPath, [runner, 'run', ...tests], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...sanitizerSettings(join(reports, 'finding')) },
  })
  const findings = readdirSync(reports).map(name => readFileSync(join(reports, name), 'utf8'))
  rmSync(reports, { recursive: true })
  for (const finding of findings) console.error(finding)
  console.log(`sanitizers: ${findings.length} findings, tests ended with ${run.status}`)
  return run.status === 0 && findings.length === 0 ? 0 : 1
}

/** V8 and Node keep memory until the process ends, so leaks are not looked for. */
function sanitizerSettings(reportPath: string): Record<string, string> {
  return {
    LD_PRELOAD: libraryPath('libasan.so'),
    LOGCLUSTER_NATIVE_FILE: join(root, 'native', 'build', 'logcluster-sanitized.node'),
    ASAN_OPTIONS: `detect_leaks=0:log_path=${reportPath}`,
    UBSAN_OPTIONS: `print_stacktrace=1:log_path=${reportPath}`,
  }
}

/** Where the compiler keeps the sanitizer's library, which has to be there before Node starts. */
function libraryPath(name: string): string {
  const compiler = process.env['CC'] ?? 'cc'
  return execFileSync(compiler, [`-print-file-name=${name}`], { encoding: 'utf8' }).trim()
}
