import { spawn } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** What the tests said of a tree. */
export type Verdict =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed'; readonly test: string; readonly message: string }
  /** The mutant is not a guard taken out but an error of syntax, in TypeScript or SQL. */
  | { readonly kind: 'broken'; readonly message: string }
  | { readonly kind: 'hung' }

interface VitestReport {
  readonly numPassedTests: number
  readonly testResults: readonly {
    readonly message: string
    readonly assertionResults: readonly {
      readonly status: string
      readonly fullName: string
      readonly failureMessages: readonly string[]
    }[]
  }[]
}

/** SQL or TypeScript that does not compile fails every test, and proves nothing about the guard. */
const BROKEN =
  /\b42(?:601|703|702|P01|P02|P18|804|883|809)\b|syntax error|SyntaxError|Transform failed|PARSE_ERROR/

/** Runs test files of a tree until the first failure. */
export async function runTests(
  folder: string,
  files: readonly string[],
  { databaseUrl, timeout }: { readonly databaseUrl: string; readonly timeout: number },
): Promise<Verdict> {
  const report = join(folder, 'report.json')
  await rm(report, { force: true })
  const hasEnded = await runVitest(
    folder,
    [...files, '--bail=1', '--maxWorkers=1', '--reporter=json', `--outputFile=${report}`],
    databaseUrl,
    timeout,
  )
  if (!hasEnded) return { kind: 'hung' }
  const text = await readFile(report, 'utf8').catch(() => null)
  if (text === null) return { kind: 'broken', message: 'vitest has written no report' }
  return verdictOf(JSON.parse(text) as VitestReport)
}

function verdictOf({ testResults, numPassedTests }: VitestReport): Verdict {
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults)
  const failed = tests.find(({ status }) => status === 'failed')
  const suite = testResults.find(({ message }) => message !== '')
  if (failed === undefined && suite === undefined) {
    if (numPassedTests > 0) return { kind: 'passed' }
    return { kind: 'broken', message: 'no test ran' }
  }
  const message = (failed?.failureMessages[0] ?? suite?.message ?? '').split('\n    at ')[0] ?? ''
  if (BROKEN.test(message)) return { kind: 'broken', message }
  return { kind: 'failed', test: failed?.fullName ?? 'a test file as a whole', message }
}

/** False if it had to be ended. */
function runVitest(
  folder: string,
  args: readonly string[],
  databaseUrl: string,
  timeout: number,
): Promise<boolean> {
  const vitest = join(folder, 'node_modules', 'vitest', 'vitest.mjs')
  const child = spawn(process.execPath, [vitest, 'run', '--testTimeout=20000', ...args], {
    cwd: folder,
    env: { ...process.env, DATABASE_URL: databaseUrl, NO_COLOR: '1' },
    stdio: 'ignore',
    // A group of its own, so that a worker that hangs ends with it.
    detached: true,
  })
  return new Promise((resolve, reject) => {
    let hasEnded = true
    const timer = setTimeout(() => {
      hasEnded = false
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    }, timeout)
    child.on('error', reject)
    child.on('close', () => {
      clearTimeout(timer)
      resolve(hasEnded)
    })
  })
}
