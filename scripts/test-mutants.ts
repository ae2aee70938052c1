/**
 * Takes one guard after the other out of the code and runs the tests that should notice.
 *
 *     npm run test:mutants                     all of them
 *     npm run test:mutants -- --only save      those whose file or description contains "save"
 *     npm run test:mutants -- --list           what there is, without running anything
 *
 * Works in copies of the tree. Fails if a mutant survives, if its text is gone, or if it does not compile.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startEmbeddedPostgres } from '../src/embedded/index.ts'
import { mutantGroups } from '../test/mutants/all-mutants.ts'
import { type Mutant, mutate } from '../test/mutants/mutant.ts'
import { runTests, type Verdict } from './mutation/run-tests.ts'
import { copyTree } from './mutation/work-copy.ts'
import { root } from './run-command.ts'

const help = `Usage: npm run test:mutants [-- options]

Takes one guard after the other out of a copy of the code, and runs the tests that should notice.

  --only <text>   only mutants whose file or description contains this text; may be repeated
  --jobs <n>      how many run side by side (default: half of the processors)
  --list          lists the mutants and the equivalents with their reasons
  --verbose       shows which test has killed each mutant
  --help          this text
`

/** A mutant with the file it is for. */
interface Located extends Mutant {
  readonly file: string
  readonly tests: readonly string[]
}

interface Options {
  readonly jobs: number
  readonly isVerbose: boolean
}

/** Longer than any of these runs takes on a busy machine. */
const TIMEOUT = 180_000

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', multiple: true },
      jobs: { type: 'string', default: String(Math.max(1, availableParallelism() >> 1)) },
      list: { type: 'boolean' },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) {
    console.log(help)
    return 0
  }
  const chosen = choose(values.only ?? [])
  if (chosen.length === 0) {
    console.error(`No mutant matches.\n\n${help}`)
    return 2
  }
  if (values.list) {
    for (const mutant of chosen) console.log(describe(mutant))
    return 0
  }
  for (const { file, ...mutant } of chosen) {
    mutate(await readFile(join(root, file), 'utf8'), mutant, file)
  }
  const real = chosen.filter(({ equivalent }) => equivalent === undefined)
  const listed = chosen.length - real.length
  const failures = await runAll(real, { jobs: Number(values.jobs), isVerbose: values.verbose })
  console.log(
    `${real.length - failures} killed, ${failures} not, ${listed} equivalent and listed with the reason`,
  )
  return failures === 0 ? 0 : 1
}

function choose(only: readonly string[]): Located[] {
  const all = mutantGroups.flatMap(({ file, tests, mutants }) =>
    mutants.map((mutant): Located => ({ file, ...mutant, tests: mutant.tests ?? tests })),
  )
  return only.length === 0
    ? all
    : all.filter(({ file, without }) => only.some((text) => `${file} ${without}`.includes(text)))
}

function describe({ file, without, equivalent }: Located): string {
  const reason = equivalent === undefined ? '' : `\n    equivalent: ${equivalent}`
  return `${file}: without ${without}${reason}`
}

/** @returns How many were not killed. */
async function runAll(mutants: readonly Located[], options: Options): Promise<number> {
  const server = await startEmbeddedPostgres({ settings: { max_connections: '300' } })
  const folder = await mkdtemp(join(tmpdir(), 'pg-sessions-mutants-'))
  try {
    return await runJobs(mutants, folder, server.url, options)
  } finally {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

async function runJobs(
  mutants: readonly Located[],
  folder: string,
  databaseUrl: string,
  { jobs, isVerbose }: Options,
): Promise<number> {
  const first = join(folder, 'tree-0')
  await copyTree(first)
  const files = [...new Set(mutants.flatMap(({ tests }) => tests))]
  console.log(`${mutants.length} mutants; first the ${files.length} test files without any`)
  const sound = await runTests(first, files, { databaseUrl, timeout: 10 * TIMEOUT })
  if (sound.kind !== 'passed') {
    console.error(`The tests fail without a mutant: ${explain(sound)}`)
    return mutants.length
  }
  const begin = performance.now()
  let [next, done, failures] = [0, 0, 0]
  const work = async (job: number): Promise<void> => {
    const tree = join(folder, `tree-${job}`)
    if (job > 0) await copyTree(tree)
    for (let index = next++; index < mutants.length; index = next++) {
      const mutant = mutants[index] as Located
      const verdict = await tryMutant(tree, mutant, databaseUrl)
      done += 1
      const isKilled = verdict.kind === 'failed' || verdict.kind === 'hung'
      if (!isKilled) failures += 1
      const left = ((performance.now() - begin) / done) * (mutants.length - done)
      console.log(
        `${isKilled ? 'killed  ' : 'SURVIVED'} ${String(done).padStart(3)}/${mutants.length}, ${toGo(left)} to go  ${describe(mutant)}`,
      )
      if (isVerbose || !isKilled) console.log(`             ${explain(verdict)}`)
    }
  }
  await Promise.all(Array.from({ length: Math.min(jobs, mutants.length) }, (_, job) => work(job)))
  return failures
}

async function tryMutant(tree: string, mutant: Located, databaseUrl: string): Promise<Verdict> {
  const path = join(tree, mutant.file)
  const source = await readFile(path, 'utf8')
  await writeFile(path, mutate(source, mutant, mutant.file))
  try {
    return await runTests(tree, mutant.tests, { databaseUrl, timeout: TIMEOUT })
  } finally {
    await writeFile(path, source)
  }
}

function explain(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'passed':
      return 'no test has noticed'
    case 'hung':
      return 'by a test that never ended'
    case 'broken':
      return `it does not compile, so it proves nothing: ${verdict.message}`
    case 'failed':
      return `by "${verdict.test}": ${verdict.message.replaceAll(/\s+/g, ' ').slice(0, 160)}`
  }
}

function toGo(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000)
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
}

process.exitCode = await main(process.argv.slice(2))
