import { execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdirSync, realpathSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'

const root = join(import.meta.dirname, '..')

/** As tools/librdkafka.ts builds it; that file needs this one's neighbour, so its version stands here again. */
const librdkafka = join(root, '.cache/librdkafka-2.15.1')
const version = '3.6.1'

/** What its own e2e suite, which its npm package brings, is run by: the last that its package.json allows. */
const mocha = 'mocha@10.8.2'

/**
 * Compiles node-rdkafka, half a minute, against a copy of librdkafka that stays with it, and puts mocha beside it.
 * Throws where librdkafka was not built.
 */
export function fetchNodeRdkafka(folder: string): void {
  if (!existsSync(join(librdkafka, 'src-cpp/librdkafka++.so.1'))) {
    throw new Error('needs librdkafka, which node tools/librdkafka.ts builds')
  }
  const quiet = ['--silent', '--no-save', '--ignore-scripts', '--prefix', folder]
  runIn(folder, 'npm', ['install', ...quiet, `node-rdkafka@${version}`, mocha])
  const place = join(folder, 'node_modules/node-rdkafka')
  const include = join(folder, 'include')
  mkdirSync(include)
  copyFileSync(join(librdkafka, 'src/rdkafka.h'), join(include, 'rdkafka.h'))
  copyFileSync(join(librdkafka, 'src-cpp/rdkafkacpp.h'), join(include, 'rdkafkacpp.h'))
  // Beside the addon, which is told to look there.
  const libraries = join(place, 'build/deps')
  const env = {
    BUILD_LIBRDKAFKA: '0',
    CPLUS_INCLUDE_PATH: include,
    LIBRARY_PATH: join(folder, 'lib'),
    LDFLAGS: "-Wl,-rpath,'$$ORIGIN'/../deps",
    // Under an npm script this is in the environment, where node-gyp heeds it more than the option.
    npm_config_nodedir: headers(),
  }
  copyLibraries(join(folder, 'lib'))
  runIn(place, process.execPath, [nodeGyp(), 'rebuild'], env)
  cpSync(join(folder, 'lib'), libraries, { recursive: true, verbatimSymlinks: true })
  runIn(place, process.execPath, ['-e', "require('./librdkafka.js')"])
}

function copyLibraries(into: string): void {
  mkdirSync(into)
  for (const name of ['src/librdkafka.so.1', 'src-cpp/librdkafka++.so.1']) {
    const file = name.slice(name.indexOf('/') + 1)
    copyFileSync(realpathSync(join(librdkafka, name)), join(into, file))
    symlinkSync(file, join(into, file.replace(/\.1$/, '')))
  }
}

/** npm has its own. */
function nodeGyp(): string {
  const npm = realpathSync(execFileSync('which', ['npm'], { encoding: 'utf8' }).trim())
  return join(dirname(npm), '../node_modules/node-gyp/bin/node-gyp.js')
}

/** Those of the Node that runs this, as tools/build-native.mjs finds them. */
function headers(): string {
  const places = [join(root, 'node_modules', `node-linux-${process.arch}`)]
  const found = [...places, dirname(dirname(process.execPath))].find(place =>
    existsSync(join(place, 'include/node/node.h')),
  )
  if (found === undefined) throw new Error("Node's headers were not found")
  return found
}

function runIn(
  cwd: string,
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): void {
  const path = `${dirname(process.execPath)}:${process.env['PATH']}`
  execFileSync(program, args, {
    cwd,
    env: { ...process.env, PATH: path, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 1_200_000,
  })
}
