/** Tests every example, and the adapter contract of those that have one: `npm run test:frameworks -- --help`. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { startEmbeddedPostgres } from 'pg-sessions/embedded-postgres'
import { type Example, type ExampleReport, readExample, testExample } from './example.ts'
import { versionsOf } from './example-versions.ts'
import { root, runCommand } from './run-command.ts'

const names: readonly string[] = readdirSync(join(root, 'examples'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !/-\d+$/.test(entry.name))
  .flatMap(({ name }) => [name, ...versionsOf(name)])

const help = `Usage: npm run test:frameworks [-- [--no-build] <example>...]

Tests all examples, or those named, each with the real framework over real HTTP: its types, its build,
the adapter contract where examples/<example>/contract holds one, and the story that every example tells
(test/frameworks/story.ts) on a real PostgreSQL server. With an example go the earlier versions of its
framework that it holds. Packages are installed on first use.

  --no-build   takes dist/ as it is

DATABASE_URL   a superuser's connection string, to use that server rather than start one

Examples: ${names.join(', ')}
`

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(help)
    return 0
  }
  const chosen = args.filter((arg) => !arg.startsWith('--'))
  const unknown = args.find((arg) => arg !== '--no-build' && !names.includes(arg))
  if (unknown !== undefined) {
    console.error(`There is no example "${unknown}".\n\n${help}`)
    return 2
  }
  if (!args.includes('--no-build')) {
    const { ok, output } = await runCommand('npm', ['run', '--silent', 'build'])
    if (!ok) {
      console.error(`${output}\n0 passed, 1 failed`)
      return 1
    }
  }
  const asked = chosen.flatMap((name) => [name, ...versionsOf(name)])
  const examples = (chosen.length === 0 ? names : [...new Set(asked)]).map(readExample)
  const { passed, failed } = await testAll(examples)
  console.log(`${passed} passed, ${failed} failed`)
  return failed === 0 && passed > 0 ? 0 : 1
}

async function testAll(examples: readonly Example[]): Promise<{ passed: number; failed: number }> {
  const server = process.env.DATABASE_URL ? undefined : await startEmbeddedPostgres()
  const serverUrl = server?.url ?? process.env.DATABASE_URL ?? ''
  let [passed, failed] = [0, 0]
  try {
    for (const example of examples) {
      const start = performance.now()
      const report = await onDatabase(serverUrl, (url) => testExample(example, url))
      const seconds = ((performance.now() - start) / 1000).toFixed(0)
      console.log(lineOf(example, report, seconds))
      passed += report.passed
      failed += report.failed
    }
  } finally {
    await server?.stop()
  }
  return { passed, failed }
}

function lineOf({ name }: Example, report: ExampleReport, seconds: string): string {
  const { passed, failed, output } = report
  const line = `${failed === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(16)} ${passed} passed, ${failed} failed, ${seconds} s`
  return failed === 0 ? line : `${output.replaceAll(/^/gm, '     ')}\n${line}`
}

/** Gives an example a database of its own, and drops it. */
async function onDatabase<T>(serverUrl: string, use: (url: string) => Promise<T>): Promise<T> {
  const name = `example_${Date.now()}`
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  const client = new Client({ connectionString: serverUrl })
  await client.connect()
  try {
    await client.query(`create database ${name}`)
    return await use(url.href)
  } finally {
    await client.query(`drop database if exists ${name} with (force)`)
    await client.end()
  }
}

process.exitCode = await main(process.argv.slice(2))
