/** Runs every gate that a change has to pass, or those named. `npm run check -- --help` lists them. */
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkApi } from './check-api.ts'
import { checkDeclarations } from './check-declarations.ts'
import { checkLanguage } from './check-language.ts'
import { checkNames } from './check-names.ts'
import { checkWorkflows } from './check-workflows.ts'
import { compile } from './compile.ts'
import { buildSite } from './docs-site/build-site.ts'
import { type PackedPackage, PackingError, packPackage } from './pack-package.ts'
import { type CommandResult, runCommand } from './run-command.ts'
import { checkSubpaths } from './subpaths.ts'

interface Gate {
  readonly name: string
  /** The mistake it prevents. */
  readonly purpose: string
  run(workshop: Workshop): Promise<CommandResult>
}

/** What gates share: a temporary folder, and the package packed in it once. */
interface Workshop {
  readonly folder: string
  packed(): Promise<PackedPackage>
}

const gates: readonly Gate[] = [
  {
    name: 'format',
    purpose: 'diffs that change nothing but spaces',
    run: () => runCommand('biome', ['format', '--reporter=concise', '--max-diagnostics=none']),
  },
  {
    name: 'lint',
    purpose: 'floating promises, import cycles, bare errors and the like',
    run: () =>
      runCommand('biome', [
        'lint',
        '--error-on-warnings',
        '--diagnostic-level=warn',
        '--reporter=concise',
        '--max-diagnostics=none',
      ]),
  },
  {
    name: 'types',
    purpose: 'code that does not compile, in src, tests, demo and scripts',
    run: () => compile(['-p', 'tsconfig.json']),
  },
  {
    name: 'house',
    purpose: 'an import that ties together rooms of src/ which must stay apart',
    run: () =>
      runCommand('depcruise', ['--output-type', 'err-long', 'src', 'test', 'demo', 'scripts']),
  },
  {
    name: 'dead-code',
    purpose: 'files, exports and dependencies that nothing uses',
    run: () => runCommand('knip', ['--no-progress', '--no-config-hints']),
  },
  {
    name: 'names',
    purpose: 'names that say nothing, files too long to read, paths of one machine',
    run: async () => {
      const { faults, notes } = await checkNames()
      const lines = [...faults, ...notes.map((note) => `note: ${note}`)]
      return { ok: faults.length === 0, output: lines.join('\n') }
    },
  },
  {
    name: 'language',
    purpose: 'words that no engineer would write, and that no reader searches for',
    run: async () => {
      const faults = await checkLanguage()
      return { ok: faults.length === 0, output: faults.join('\n') }
    },
  },
  {
    name: 'package',
    purpose: 'a published package that some way of importing it cannot resolve',
    run: async (workshop) => {
      const { tarball } = await workshop.packed()
      return all([
        await checkSubpaths(),
        await runCommand('publint', ['run', tarball, '--strict']),
        await runCommand('attw', [tarball, '--no-definitely-typed', '--no-emoji']),
      ])
    },
  },
  {
    name: 'declarations',
    purpose: 'published types that compile only beside packages their user does not have',
    run: async (workshop) => checkDeclarations(await workshop.packed(), workshop.folder),
  },
  {
    name: 'api',
    purpose: 'exports without a docstring, and an API reference that says what was true once',
    run: ({ folder }) => checkApi(folder),
  },
  {
    name: 'site',
    purpose: 'pages that the site cannot show, and links that lead nowhere',
    run: ({ folder }) => buildSite({ into: join(folder, 'site'), isTrial: true }),
  },
  {
    name: 'workflows',
    purpose: 'workflows that GitHub refuses, and actions that are not pinned by hash',
    run: checkWorkflows,
  },
]

function all(results: readonly CommandResult[]): CommandResult {
  const failed = results.filter(({ ok }) => !ok)
  return { ok: failed.length === 0, output: failed.map(({ output }) => output).join('\n') }
}

const help = `Usage: npm run check [-- <gate>...]

Runs all gates, or those named. Each prevents a kind of mistake:

${gates.map(({ name, purpose }) => `  ${name.padEnd(14)}${purpose}`).join('\n')}
`

async function main(names: readonly string[]): Promise<number> {
  if (names.includes('--help') || names.includes('-h')) {
    console.log(help)
    return 0
  }
  const unknown = names.find((name) => !gates.some((gate) => gate.name === name))
  if (unknown !== undefined) {
    console.error(`There is no gate "${unknown}".\n\n${help}`)
    return 2
  }
  const chosen = names.length === 0 ? gates : gates.filter(({ name }) => names.includes(name))
  const folder = await mkdtemp(join(tmpdir(), 'pg-sessions-check-'))
  try {
    return (await runGates(chosen, folder)) ? 0 : 1
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Runs gates side by side, as many as there are processors, and reports them in their order. */
async function runGates(chosen: readonly Gate[], folder: string): Promise<boolean> {
  let packing: Promise<PackedPackage> | undefined
  const workshop: Workshop = {
    folder,
    packed() {
      packing ??= packPackage(folder)
      return packing
    },
  }
  const reports: (Report | undefined)[] = chosen.map(() => undefined)
  let started = 0
  let printed = 0
  const work = async (): Promise<void> => {
    for (let index = started++; index < chosen.length; index = started++) {
      reports[index] = await runGate(chosen[index] as Gate, workshop)
      for (let next = reports[printed]; next !== undefined; next = reports[++printed]) {
        console.log(next.text)
      }
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  return reports.every((report) => report?.ok)
}

interface Report {
  readonly ok: boolean
  readonly text: string
}

async function runGate(gate: Gate, workshop: Workshop): Promise<Report> {
  const start = performance.now()
  const { ok, output } = await gate.run(workshop).catch((error: unknown) => {
    if (error instanceof PackingError) return { ok: false, output: error.message }
    throw error
  })
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  const line = `${ok ? 'ok  ' : 'FAIL'} ${gate.name.padEnd(14)}${seconds.padStart(5)} s`
  // A gate that passed is heard only when it has a note, as `names` may.
  const heard = ok && gate.name !== 'names' ? '' : output
  return { ok, text: heard === '' ? line : `${line}\n${heard.replaceAll(/^/gm, '     ')}` }
}

process.exitCode = await main(process.argv.slice(2))
