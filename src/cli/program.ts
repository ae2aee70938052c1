import { readFileSync } from 'node:fs'
import { ConfigurationError } from '../errors.ts'
import { nearestName } from '../options/nearest-name.ts'
import type { Command } from './command.ts'
import { completionCommand } from './commands/completion.ts'
import { destroy } from './commands/destroy.ts'
import { doctor } from './commands/doctor.ts'
import { importCommand } from './commands/import.ts'
import { list } from './commands/list.ts'
import { migrate } from './commands/migrate.ts'
import { purge } from './commands/purge.ts'
import { reseal } from './commands/reseal.ts'
import { sql } from './commands/sql.ts'
import { status } from './commands/status.ts'
import { describeFailure } from './describe-failure.ts'
import { commandHelp, programHelp } from './help-text.ts'
import { Input } from './input.ts'

const PROGRAM = 'pg-sessions'

const commands: ReadonlyMap<string, Command> = new Map(
  Object.entries({
    status,
    doctor,
    migrate,
    sql,
    purge,
    list,
    destroy,
    import: importCommand,
    reseal,
    completion: completionCommand(PROGRAM, () => commands),
  }),
)

/**
 * Runs the command line.
 *
 * @param argv - What follows the program's name.
 * @returns The exit status: 0 when it was done, 1 when it failed, 2 for a wrong command line or setting.
 */
export async function run(argv: readonly string[]): Promise<number> {
  const [name, ...rawArgs] = argv
  if (name === undefined) {
    process.stderr.write(help(undefined, process.stderr))
    return 2
  }
  if (['--help', '-h', 'help'].includes(name)) return print(help(rawArgs[0], process.stdout))
  if (name === '--version' || name === '-v') return print(`${version()}\n`)
  const command = commands.get(name)
  if (command !== undefined && rawArgs.some((arg) => arg === '--help' || arg === '-h')) {
    return print(help(name, process.stdout))
  }
  try {
    if (command === undefined) throw unknownCommand(name)
    const input = new Input(rawArgs, command.args)
    const report = await command.run(input)
    print(input.flag('json') ? json(report.document) : `${report.lines.join('\n')}\n`)
    return report.status ?? 0
  } catch (error) {
    const { code, problem, ...failure } = describeFailure(error)
    const line = command === undefined ? `${PROGRAM} --help` : `${PROGRAM} ${name} --help`
    const advice = failure.advice ?? `Run \`${line}\` to see how.`
    process.stderr.write(`${PROGRAM}: ${problem}\n${advice}\n`)
    if (rawArgs.includes('--json')) print(json({ error: { code, message: problem, advice } }))
    return failure.isUsage ? 2 : 1
  }
}

function print(text: string): 0 {
  process.stdout.write(text)
  return 0
}

function unknownCommand(name: string): ConfigurationError {
  const names = [...commands.keys()]
  const listed = names.join(', ')
  if (name.startsWith('-')) {
    return new ConfigurationError(
      `The first word must be a command, and options follow it. The commands are ${listed}.`,
    )
  }
  // A connection string in the wrong place may hold a password, so it is not repeated.
  if (!/^[a-z-]{1,20}$/i.test(name)) {
    return new ConfigurationError(`There is no command of that name. The commands are ${listed}.`)
  }
  const near = nearestName(name, names)
  const question = near === undefined ? '' : ` Did you mean '${near}'?`
  return new ConfigurationError(
    `There is no command '${name}'.${question} The commands are ${listed}.`,
  )
}

function json(document: object): string {
  return `${JSON.stringify(document, null, 2)}\n`
}

/** Help for one command, or for all when none is named. Bold headings on a terminal only. */
function help(name: string | undefined, output: NodeJS.WriteStream): string {
  const command = name === undefined ? undefined : commands.get(name)
  const isPlain = !output.isTTY || Boolean(process.env.NO_COLOR)
  const style = { program: PROGRAM, isPlain }
  return name === undefined || command === undefined
    ? programHelp(commands, style)
    : commandHelp(name, command, style)
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
