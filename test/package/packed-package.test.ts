import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PackedPackage, readManifest } from '../../scripts/pack-package.ts'
import { runCommand } from '../../scripts/run-command.ts'
import { sharedPackage } from '../support/shared-package.ts'
import { createPackageUser } from './package-user.ts'

let folder: string
let packed: PackedPackage

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pg-sessions-package-'))
  packed = await sharedPackage()
}, 300_000)

afterAll(() => rm(folder, { recursive: true, force: true }))

/** As Node is before 20.19 and 22.12, and as Jest is: `require` loads no ES module. */
const COMMONJS_ONLY = '--no-experimental-require-module'

async function runNode(cwd: string, ...args: string[]): Promise<string> {
  const { ok, output } = await runCommand(process.execPath, args, { cwd })
  expect(ok, output).toBe(true)
  return output
}

test('the tarball holds the build, the manifest and the documents, and nothing else', async () => {
  expect((await readdir(packed.folder)).sort()).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'dist',
    'package.json',
  ])
  const built = await readdir(join(packed.folder, 'dist'), { recursive: true })
  const strange = built.filter(
    (file) => /\.\w+$/.test(file) && !/(\.(js|d\.ts)|^cjs\/package\.json)$/.test(file),
  )
  expect(strange).toEqual([])
})

test('the tarball stays small', async () => {
  expect((await stat(packed.tarball)).size).toBeLessThan(600_000)
})

/** Contracts without a value: what authors of drivers and adapters write their own against. */
const TYPES_ONLY: ReadonlySet<string> = new Set(['pg-sessions/driver', 'pg-sessions/adapter'])

test('every subpath gives the same names by import and by a require that loads no ES module, with no framework installed', async () => {
  const { exports } = await readManifest()
  const names = Object.keys(exports)
    .filter((subpath) => subpath !== './package.json')
    .map((subpath) => `pg-sessions${subpath.slice(1)}`)
  const list = JSON.stringify(names)
  const files = {
    'esm.mjs': `const found = {}
      for (const name of ${list}) found[name] = Object.keys(await import(name)).sort()
      console.log(JSON.stringify(found))`,
    'cjs.cjs': `const found = {}
      for (const name of ${list}) found[name] = Object.keys(require(name)).sort()
      console.log(JSON.stringify(found))`,
  }
  // The driver for postgres.js opens connections of its own, telemetry calls OpenTelemetry's API, and bowser knows browsers.
  const peers = ['postgres', '@opentelemetry/api', 'bowser']
  const user = await createPackageUser(packed, join(folder, 'importer'), files, peers)
  const imported: Record<string, string[]> = JSON.parse(await runNode(user, 'esm.mjs'))
  const required: Record<string, string[]> = JSON.parse(
    await runNode(user, COMMONJS_ONLY, 'cjs.cjs'),
  )
  expect(Object.keys(imported)).toEqual(names)
  for (const name of names) {
    if (!TYPES_ONLY.has(name)) expect(imported[name], name).not.toEqual([])
    expect(imported[name], name).not.toContain('default')
  }
  expect(required).toEqual(imported)
})

test('the command line runs from the installed package', async () => {
  const user = await createPackageUser(packed, join(folder, 'operator'), {})
  const { bin } = JSON.parse(await readFile(join(packed.folder, 'package.json'), 'utf8'))
  const main = join(user, 'node_modules', 'pg-sessions', bin['pg-sessions'])
  expect(await readFile(main, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/)
  expect(await runNode(user, main, '--help')).toContain('migrate')
})
