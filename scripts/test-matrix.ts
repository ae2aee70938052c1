/** Runs the suites that touch a database on every supported PostgreSQL version: `npm run test:matrix -- --help`. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { installPackages } from './install-packages.ts'
import { root, runCommand } from './run-command.ts'

const help = `Usage: npm run test:matrix [-- [<version>...] [<suite>...]]

Runs the suites that touch a database on every supported PostgreSQL version.

  npm run test:matrix                       all versions, all of these suites
  npm run test:matrix -- 16 17              two versions
  npm run test:matrix -- 16 test/postgres   one suite on one version

The servers are installed on first use, some 300 MB, by the lockfile in test/matrix.
`

const matrix = join(root, 'test', 'matrix')
const databaseSuites = [
  'admin',
  'faults',
  'histories',
  'oidc',
  'postgres',
  'sealing',
  'store',
  'drivers',
  'session',
  'http',
  'adapters',
  'cli',
  'compatibility',
  'import',
  'haskell',
  'promises',
  'telemetry',
  'transactions',
  'users',
  'websockets',
]

/** One version: the alias its binaries are installed under, and what it is called. */
interface Version {
  readonly alias: string
  readonly major: string
  /** `16.14` */
  readonly name: string
}

async function readVersions(): Promise<Version[]> {
  const { devDependencies } = JSON.parse(await readFile(join(matrix, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>
  }
  return Object.entries(devDependencies).map(([alias, specifier]) => {
    const name = /@(\d+\.\d+)\.0/.exec(specifier)?.[1] ?? specifier
    return { alias, major: name.split('.')[0] ?? name, name }
  })
}

/** Installs what the lockfile says. */
async function install(): Promise<boolean> {
  const { ok, output } = await installPackages(matrix)
  if (!ok) console.error(output)
  return ok
}

async function run({ alias, name }: Version, suites: readonly string[]): Promise<Counts> {
  process.env.TEST_POSTGRES_BINARIES = join(matrix, 'node_modules', alias)
  const start = performance.now()
  const { ok, output } = await runCommand('tsx', ['scripts/test.ts', ...suites])
  const seconds = ((performance.now() - start) / 1000).toFixed(0)
  const counts = readCounts(output, ok)
  if (!ok) console.log(output.replaceAll(/^/gm, '     '))
  console.log(
    `${ok ? 'ok  ' : 'FAIL'} PostgreSQL ${name.padEnd(6)} ${counts.passed} passed, ${counts.failed} failed, ${seconds} s`,
  )
  return counts
}

interface Counts {
  readonly passed: number
  readonly failed: number
}

/** A run that failed without a failing test, or said nothing, counts as one failure. */
function readCounts(output: string, ok: boolean): Counts {
  const last = output.trimEnd().split('\n').at(-1) ?? ''
  const [, passed = '0', failed = '0'] = /^(\d+) passed, (\d+) failed/.exec(last) ?? []
  return { passed: Number(passed), failed: ok ? 0 : Math.max(1, Number(failed)) }
}

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(help)
    return 0
  }
  const versions = await readVersions()
  const majors = args.filter((arg) => /^\d+$/.test(arg))
  const unknown = majors.find((major) => !versions.some((version) => version.major === major))
  if (unknown !== undefined) {
    const known = versions.map(({ major }) => major).join(', ')
    console.error(`PostgreSQL ${unknown} is not in the matrix. There are ${known}.`)
    return 2
  }
  const named = args.filter((arg) => !majors.includes(arg))
  const suites = databaseSuites.map((suite) => `test/${suite}`)
  const present = suites.filter((suite) => existsSync(join(root, suite)))
  if (!(await install())) return 1
  // It would take all versions to the same server.
  delete process.env.DATABASE_URL
  let [passed, failed] = [0, 0]
  for (const version of versions) {
    if (majors.length > 0 && !majors.includes(version.major)) continue
    const counts = await run(version, named.length > 0 ? named : present)
    passed += counts.passed
    failed += counts.failed
  }
  console.log(`${passed} passed, ${failed} failed`)
  return failed === 0 && passed > 0 ? 0 : 1
}

process.exitCode = await main(process.argv.slice(2))
