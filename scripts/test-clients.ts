/**
 * Runs the tests of the drivers, and all faults on every driver, with the oldest and the newest supported
 * versions of pg and postgres.js.
 *
 *     npm run test:clients                       both, all tests
 *     npm run test:clients -- oldest             one of them
 *     npm run test:clients -- newest test/faults one folder
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { installPackages } from './install-packages.ts'
import { root, runCommand } from './run-command.ts'

const oldest = join(root, 'test', 'clients')
const suites = ['test/drivers', 'test/faults', 'test/testing/driver-contract.test.ts']
const folders: Readonly<Record<string, string>> = { oldest, newest: root }

async function versionOf(name: string, folder: string): Promise<string> {
  const file = join(folder, 'node_modules', name, 'package.json')
  const { version } = JSON.parse(await readFile(file, 'utf8')) as { version: string }
  return `${name} ${version}`
}

async function run(age: string, folder: string, named: readonly string[]): Promise<boolean> {
  process.env['TEST_CLIENTS'] = 'all'
  process.env['TEST_CLIENTS_FROM'] = folder
  const start = performance.now()
  const { ok, output } = await runCommand('tsx', ['scripts/test.ts', ...named])
  const seconds = ((performance.now() - start) / 1000).toFixed(0)
  const versions = await Promise.all(['pg', 'postgres'].map((name) => versionOf(name, folder)))
  if (!ok) console.log(output.replaceAll(/^/gm, '     '))
  const counts = output.trimEnd().split('\n').at(-1) ?? ''
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${age} (${versions.join(', ')}): ${counts}, ${seconds} s`)
  return ok
}

async function main(args: readonly string[]): Promise<number> {
  const chosen = Object.keys(folders).filter((age) => args.includes(age))
  const named = args.filter((arg) => folders[arg] === undefined)
  const { ok, output } = await installPackages(oldest)
  if (!ok) {
    console.error(output)
    return 1
  }
  let passed = true
  for (const [age, folder] of Object.entries(folders)) {
    if (chosen.length > 0 && !chosen.includes(age)) continue
    passed = (await run(age, folder, named.length > 0 ? named : suites)) && passed
  }
  return passed ? 0 : 1
}

process.exitCode = await main(process.argv.slice(2))
