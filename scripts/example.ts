import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compile } from './compile.ts'
import { type Runtime, runtimesFor } from './example-runtimes.ts'
import { laidOut } from './example-versions.ts'
import { installPackages } from './install-packages.ts'
import { type CommandResult, root, runCommand } from './run-command.ts'

/** One of `examples/`: a small application in a package of its own. */
export interface Example {
  readonly name: string
  readonly folder: string
  /** The runtimes that it runs on, with the versions that it asks for, as `engines` has them. */
  readonly engines: Readonly<Record<string, string>>
  readonly scripts: Readonly<Record<string, string>>
}

/** How the tests of an example went. A step that is not a test counts as one when it fails. */
export interface ExampleReport {
  readonly passed: number
  readonly failed: number
  /** What the steps that failed wrote. */
  readonly output: string
}

const story = join(root, 'test', 'frameworks', 'story.ts')

/** Reads the manifest of `examples/<name>`, or of an earlier version of it, like `nestjs-11`. */
export function readExample(name: string): Example {
  const folder = laidOut(name)
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return { name, folder, engines: manifest.engines ?? {}, scripts: manifest.scripts ?? {} }
}

/** Installs, compiles, builds and tests an example on every runtime that it is for. */
export async function testExample(example: Example, databaseUrl: string): Promise<ExampleReport> {
  const { folder } = example
  const installed = asStep(await installPackages(folder))
  if (installed.failed > 0) return installed
  const reports: ExampleReport[] = []
  for (const runtime of await runtimesFor(example.engines)) {
    reports.push(...(await testOn(runtime, example, databaseUrl)))
  }
  if (existsSync(join(folder, 'tsconfig.json'))) {
    reports.push(asStep(await compile(['-p', folder, '--noEmit'], 'typescript')))
  }
  return {
    passed: reports.reduce((sum, { passed }) => sum + passed, 0),
    failed: reports.reduce((sum, { failed }) => sum + failed, 0),
    output: reports.flatMap(({ output }) => (output === '' ? [] : [output])).join('\n'),
  }
}

async function testOn(
  { test, path, start }: Runtime,
  { folder, scripts }: Example,
  databaseUrl: string,
): Promise<ExampleReport[]> {
  const environment = { DATABASE_URL: databaseUrl, EXAMPLE_START: start }
  const options = { cwd: folder, path, environment }
  if (scripts.build !== undefined) {
    const built = asStep(await runCommand('npm', ['run', 'build'], options))
    if (built.failed > 0) return [built]
  }
  const reports: ExampleReport[] = []
  const contract = join(folder, 'contract')
  if (existsSync(contract)) {
    const files = readdirSync(contract).filter((file) => file.endsWith('.test.ts'))
    const [command, ...flags] = test
    const args = [...flags, ...files.map((file) => `./contract/${file}`)]
    reports.push(readCounts(await runCommand(command, args, options)))
  }
  if (scripts.start === undefined) return reports
  // On this Node, whatever runs the example.
  const args = ['--import', 'tsx', '--test', '--test-reporter=spec', '--test-timeout=180000', story]
  reports.push(readCounts(await runCommand(process.execPath, args, options)))
  return reports
}

function asStep({ ok, output }: CommandResult): ExampleReport {
  return { passed: 0, failed: ok ? 0 : 1, output: ok ? '' : output }
}

/** Counts as Node's runner and Bun's write them. A run that failed without a failing test is a failure. */
function readCounts({ ok, output }: CommandResult): ExampleReport {
  const count = (what: string): number => {
    const pattern = new RegExp(`^(?:. ${what} (\\d+)|\\s*(\\d+) ${what})$`, 'm')
    const [, nodes, buns] = pattern.exec(output) ?? []
    return Number(nodes ?? buns ?? 0)
  }
  const failed = count('fail') + count('cancelled')
  const isSilent = !ok && failed === 0
  return { passed: count('pass'), failed: isSilent ? 1 : failed, output: ok ? '' : output }
}
