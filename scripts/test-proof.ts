/** Runs the long proofs of the promises, part after part. `npm run test:proof -- --help` says how. */
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from './run-command.ts'

/** One proof: a command that reads `PROOF_SEED` and `PROOF_MINUTES` and fails if a promise does not hold. */
interface Part {
  readonly name: string
  readonly does: string
  /** Run by Node, in the repository. */
  readonly command: readonly string[]
  /** Whether it goes on for as long as it is given. The others run once. */
  readonly isTimed: boolean
}

const parts: readonly Part[] = [
  {
    name: 'histories',
    does: 'runs random programs of concurrent requests on every driver, and checks what was answered against a model',
    command: vitest('test/histories/histories'),
    isTimed: true,
  },
  {
    name: 'interleavings',
    does: 'runs two and three clients in every order of their statements and row locks, with a fault at each statement',
    command: vitest('test/histories/interleavings'),
    isTimed: false,
  },
  {
    name: 'disasters',
    does: 'kills backends, stops, freezes and crashes the server, breaks the network, blocks the process and moves its clock',
    command: vitest('test/histories/disasters'),
    isTimed: false,
  },
  {
    name: 'sweep',
    does: 'cuts, slices, delays and swallows each message between client and server in turn, for every operation',
    command: vitest('test/faults/message-sweep'),
    isTimed: false,
  },
  {
    name: 'logins',
    does: 'attacks hundreds of logins on the other side of shared Haskell tables while they are in flight',
    command: vitest('test/haskell/login-in-flight'),
    isTimed: false,
  },
  {
    name: 'fuzz',
    does: 'feeds cookies, tokens, codecs, old rows, settings and database answers with ten million hostile inputs',
    command: script('fuzz.ts'),
    isTimed: false,
  },
  {
    name: 'pglite',
    does: 'runs the whole store contract on PGlite, of which `npm test` runs a fifth',
    command: vitest('test/store/store-on-pglite'),
    isTimed: false,
  },
  {
    name: 'admin',
    does: 'looks at a million sessions on the admin page, in a browser, and counts the blocks that each view reads',
    command: vitest('test/admin/million'),
    isTimed: false,
  },
  {
    name: 'soak-pg',
    does: 'runs several processes on pg under mixed traffic, with a fault every five seconds',
    command: script('soak.ts', '--driver', 'pg'),
    isTimed: true,
  },
  {
    name: 'soak-postgres-js',
    does: 'does the same on postgres.js',
    command: script('soak.ts', '--driver', 'postgres-js'),
    isTimed: true,
  },
]

/** @param files - What the names of the part's files begin with. */
function vitest(files: string): readonly string[] {
  const program = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  return [program, 'run', '--config', 'vitest.proof.config.ts', files]
}

function script(name: string, ...args: readonly string[]): readonly string[] {
  return ['--import', 'tsx', join(root, 'scripts', name), ...args]
}

const HELP = `npm run test:proof [-- part ...] [--seed n] [--minutes n]

Runs every part, or those named. All parts together take an hour or more.

  --minutes n  how long the parts that go on for as long as you like go on, together; default 15
  --seed n     the seed that a failure has printed: tries the same inputs in the same order

Parts:
${parts.map(({ name, does }) => `  ${name.padEnd(17)} ${does}`).join('\n')}`

function run({ command }: Part, environment: Readonly<Record<string, string>>): Promise<boolean> {
  const child = spawn(process.execPath, command, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve(code === 0))
  })
}

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      seed: { type: 'string' },
      minutes: { type: 'string' },
    },
  })
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const unknown = positionals.find((name) => !parts.some((part) => part.name === name))
  const seed = Number(values.seed ?? randomInt(2 ** 31))
  const minutes = Number(values.minutes ?? 15)
  if (unknown !== undefined || !Number.isSafeInteger(seed) || !(minutes > 0)) {
    console.error(unknown === undefined ? HELP : `There is no part '${unknown}'.\n\n${HELP}`)
    return 2
  }
  const chosen = parts.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  const timed = chosen.filter(({ isTimed }) => isTimed).length
  const environment = {
    PROOF_SEED: String(seed),
    PROOF_MINUTES: String(minutes / Math.max(1, timed)),
    ...(values.seed === undefined ? {} : { PROOF_REPLAY: '1' }),
  }
  const failed: string[] = []
  for (const part of chosen) {
    console.log(`\n${part.name}: ${part.does}; seed ${seed}`)
    if (!(await run(part, environment))) failed.push(part.name)
  }
  console.log(
    failed.length === 0
      ? `\n${chosen.length} parts held (seed ${seed})`
      : `\nfailed: ${failed.join(', ')}. Again: npm run test:proof -- ${failed.join(' ')} --seed ${seed}`,
  )
  return failed.length === 0 ? 0 : 1
}

process.exitCode = await main(process.argv.slice(2))
