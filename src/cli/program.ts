import { readFileSync } from 'node:fs'
import { stripVTControlCharacters } from 'node:util'
import { type CommandDef, renderUsage } from 'citty'
import { ConfigurationError } from '../errors.ts'
import type { Command } from './command.ts'
import { destroy } from './commands/destroy.ts'
import { importCommand } from './commands/import.ts'
import { list } from './commands/list.ts'
import { migrate } from './commands/migrate.ts'
import { purge } from './commands/purge.ts'
import { sql } from './commands/sql.ts'
import { status } from './commands/status.ts'
import { describeFailure } from './describe-failure.ts'
import { Input } from './input.ts'
import { refuseWrongArgs } from './strict-args.ts'

const PROGRAM = 'pg-sessions'

const commands: ReadonlyMap<string, Command> = new Map(
  Object.entries({ status, migrate, sql, purge, list, destroy, import: importCommand }),
)

/**
 * Runs the command line.
 *
 * @param argv - What follows the program's name.
 * @returns The exit status: 0 when it was done, 1 when it failed, 2 when it was asked wrongly.
 */
export async function run(argv: readonly string[]): Promise<number> {
  const [name, ...rawArgs] = argv
  if (name === undefined) {
    process.stderr.write(await helpText())
    return 2
  }
  if (['--help', '-h', 'help'].includes(name)) return print(await helpText())
  if (name === '--version') return print(`${version()}\n`)
  const command = commands.get(name)
  if (command !== undefined && rawArgs.some((arg) => arg === '--help' || arg === '-h')) {
    return print(await helpText(name))
  }
  let input: Input | undefined
  try {
    if (command === undefined) throw unknownCommand(name)
    refuseWrongArgs(rawArgs, command.args)
    input = new Input(rawArgs, command.args)
    const report = await command.run(input)
    print(input.flag('json') ? json(report.document) : `${report.lines.join('\n')}\n`)
    return report.status ?? 0
  } catch (error) {
    const { code, problem, ...failure } = describeFailure(error, input?.address ?? '')
    const help = command === undefined ? `${PROGRAM} --help` : `${PROGRAM} ${name} --help`
    const advice = failure.advice ?? `Run \`${help}\` to see how.`
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
  const listed = [...commands.keys()].join(', ')
  if (name.startsWith('-')) {
    return new ConfigurationError(
      `The first word must be a command, and options follow it. The commands are ${listed}.`,
    )
  }
  // A connection string in the wrong place may hold a password, so it is not repeated.
  const shown = /^[\w-]+$/.test(name) ? ` '${name}'` : ' of that name'
  return new ConfigurationError(`There is no command${shown}. The commands are ${listed}.`)
}

function json(document: object): string {
  return `${JSON.stringify(document, null, 2)}\n`
}

/** Help for one command, or for all when none is named. */
async function helpText(name?: string): Promise<string> {
  const root: CommandDef = {
    meta: { name: PROGRAM, description: 'Looks after sessions kept in PostgreSQL' },
    subCommands: Object.fromEntries(
      [...commands].map(([each, it]) => [each, definition(each, it)]),
    ),
  }
  const command = name === undefined ? undefined : commands.get(name)
  const text = await (name === undefined || command === undefined
    ? renderUsage(root)
    : renderUsage(definition(name, command), root))
  const plain = !process.stdout.isTTY || process.env.NO_COLOR !== undefined
  return `${plain ? stripVTControlCharacters(text) : text}\n`.replaceAll(/ +$/gm, '')
}

function definition(name: string, command: Command): CommandDef {
  return { meta: { name, description: command.summary }, args: command.args }
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
