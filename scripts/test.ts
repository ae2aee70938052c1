/** Runs the tests and ends with one plain line of counts. Arguments go to vitest as they are. */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './run-command.ts'

/** What vitest's JSON reporter writes, as far as it is asked here. */
interface VitestReport {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly testResults: readonly {
    readonly status: string
    readonly assertionResults: readonly { readonly status: string }[]
  }[]
}

async function main(args: readonly string[]): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'pg-sessions-test-'))
  try {
    const file = join(folder, 'report.json')
    const status = await runVitest([...args, '--reporter=json', `--outputFile.json=${file}`])
    const report: VitestReport | null = await readFile(file, 'utf8').then(JSON.parse, () => null)
    console.log(closingLine(report, status))
    return status
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function runVitest(args: readonly string[]): Promise<number> {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const child = spawn(
    process.execPath,
    [
      vitest,
      'run',
      '--reporter=default',
      '--silent=passed-only',
      '--slowTestThreshold=10000',
      ...args,
    ],
    { cwd: root, stdio: 'inherit' },
  )
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 1))
  })
}

function closingLine(report: VitestReport | null, status: number): string {
  if (report === null) return `0 passed, ${status === 0 ? 0 : 1} failed`
  const brokenFiles = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  )
  const failed = report.numFailedTests + brokenFiles.length
  // An error outside of any test fails the run without failing a test.
  const counted = failed === 0 && status !== 0 ? 1 : failed
  const skipped = report.numPendingTests === 0 ? '' : `, ${report.numPendingTests} skipped`
  return `${report.numPassedTests} passed, ${counted} failed${skipped}`
}

process.exitCode = await main(process.argv.slice(2))
