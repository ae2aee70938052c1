/**
 * Installs the packed package beside old and new frameworks, and loads it in Jest: `npm run test:install`, or
 * `npm run test:install -- Express Jest` for those whose name contains one of these words.
 *
 * An installation resolves everything and writes the lockfile only, by npm and by pnpm. It passes without
 * an error and without a warning that names this package.
 */
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { install, type Manager, neighbours } from './install-beside.ts'
import { packPackage } from './pack-package.ts'
import { type CommandResult, root, runCommand } from './run-command.ts'

const managers: readonly Manager[] = ['npm', 'pnpm']

const jestPackages = [
  'postgres@3.4.9',
  '@opentelemetry/api@1.9.0',
  'bowser@2.15.1',
  'jest@30.5.2',
  'ts-jest@29.4.15',
  '@swc/jest@0.2.39',
  '@swc/core@1.16.22',
  'typescript@5.9.3',
  '@types/jest@30.0.0',
  '@types/node@20.19.43',
]

async function inJest(tarball: string, folder: string): Promise<CommandResult> {
  await cp(join(root, 'test', 'install', 'jest'), folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), '{ "private": true }')
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--no-save']
  const installed = await runCommand('npm', ['install', ...flags, tarball, ...jestPackages], {
    cwd: folder,
  })
  if (!installed.ok) return installed
  const jest = join(folder, 'node_modules', 'jest', 'bin', 'jest.js')
  return runCommand(process.execPath, [jest, '--ci', '--config', 'jest.config.cjs'], {
    cwd: folder,
  })
}

async function main(words: readonly string[]): Promise<number> {
  const isChosen = (name: string): boolean =>
    words.length === 0 || words.some((word) => name.includes(word))
  const folder = await mkdtemp(join(tmpdir(), 'pg-sessions-install-'))
  let [passed, failed] = [0, 0]
  const report = (name: string, { ok, output }: CommandResult): void => {
    console.log(`${ok ? 'ok  ' : 'FAIL'} ${name}`)
    if (!ok) console.log(output.replaceAll(/^/gm, '     '))
    if (ok) passed += 1
    else failed += 1
  }
  try {
    const { tarball } = await packPackage(folder)
    for (const [name, packages] of Object.entries(neighbours)) {
      if (!isChosen(name)) continue
      for (const manager of managers) {
        const place = join(folder, `${manager}-${name.replaceAll(/\W/g, '-')}`)
        await mkdir(place)
        report(`${manager} beside ${name}`, await install(manager, place, [tarball, ...packages]))
      }
    }
    const inJests = 'plain Jest, ts-jest and @swc/jest'
    if (isChosen(inJests)) report(inJests, await inJest(tarball, join(folder, 'jest')))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  console.log(`${passed} passed, ${failed} failed`)
  return failed === 0 && passed > 0 ? 0 : 1
}

process.exitCode = await main(process.argv.slice(2))
