/**
 * Runs a suite of long tests that `npm test` leaves out, where the programs that it needs are installed.
 *
 *     npm run test:poolers
 *     npm run test:failover
 */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { runCommand } from './run-command.ts'

/** Where Debian puts programs that are not in everyone's PATH. */
const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin']

const isInstalled = (program: string): boolean =>
  folders.some((folder) => existsSync(join(folder, program)))

const needs: Readonly<Record<string, () => string | undefined>> = {
  poolers: () =>
    process.env['PGBOUNCER'] !== undefined || isInstalled('pgbouncer')
      ? undefined
      : 'PgBouncer is not installed, and PGBOUNCER names none',
  failover: () => (isInstalled('pg_basebackup') ? undefined : 'pg_basebackup is not installed'),
}

async function main([suite = '', ...args]: readonly string[]): Promise<number> {
  const need = needs[suite]
  if (need === undefined) {
    console.error(`There is no suite ${suite}. There are ${Object.keys(needs).join(', ')}.`)
    return 2
  }
  const missing = need()
  if (missing !== undefined) {
    console.log(`skipped: ${missing}`)
    return 0
  }
  process.env['TEST_SUITE'] = suite
  const { ok, output } = await runCommand('tsx', ['scripts/test.ts', ...args])
  console.log(output)
  return ok ? 0 : 1
}

process.exitCode = await main(process.argv.slice(2))
