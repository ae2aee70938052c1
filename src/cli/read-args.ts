import { parseArgs } from 'node:util'
import { ConfigurationError } from '../errors.ts'
import { nearestName } from '../options/nearest-name.ts'
import type { OptionTable } from './option-table.ts'

/** The options and the argument that were given, by name. */
export type GivenArgs = ReadonlyMap<string, string | true>

/**
 * Reads the arguments of a command, and refuses what it does not take: a program that passed over
 * `--exept` would end the very session that `destroy --user ann --exept x` wants to keep.
 *
 * @throws {ConfigurationError} If an option is unknown, lacks its value or is given twice, or if there
 *   are more arguments than the command takes.
 */
export function readArgs(rawArgs: readonly string[], known: OptionTable): GivenArgs {
  const given = new Map<string, string | true>()
  const positionals = namesOf(known, (type) => type === 'positional')
  const { tokens } = parse(rawArgs, known)
  let arguments_ = 0
  for (const token of tokens) {
    if (token.kind === 'option') {
      const { name, value } = token
      if (given.has(name)) throw new ConfigurationError(`Option '--${name}' is given twice.`)
      given.set(name, readValue(name, value, known))
    } else if (token.kind === 'positional') {
      const name = positionals[arguments_]
      arguments_ += 1
      if (name !== undefined) given.set(name, token.value)
    }
  }
  if (arguments_ > positionals.length) {
    const taken = positionals.length === 0 ? 'options only' : 'one argument'
    // What stands in the wrong place may be a connection string, so the message does not repeat it.
    throw new ConfigurationError(`This command takes ${taken}, and something else was written.`)
  }
  return given
}

function readValue(name: string, value: string | undefined, known: OptionTable): string | true {
  const type = known[name]?.type
  if (type === undefined) throw unknownOption(name, known)
  if (type === 'boolean') {
    if (value === undefined) return true
    throw new ConfigurationError(`Option '--${name}' takes no value.`)
  }
  if (value !== undefined) return value
  throw new ConfigurationError(
    `Option '--${name}' needs a value: --${name}=<${hint(name, known)}>.`,
  )
}

function hint(name: string, known: OptionTable): string {
  return known[name]?.valueHint ?? 'value'
}

function unknownOption(name: string, known: OptionTable): ConfigurationError {
  // Anything else may be a connection string, so the message does not repeat it.
  if (!/^[a-z-]{1,30}$/i.test(name))
    return new ConfigurationError('There is no option of that name.')
  const near = nearestName(
    name,
    namesOf(known, (type) => type !== 'positional'),
  )
  const question = near === undefined ? '' : ` Did you mean '--${near}'?`
  return new ConfigurationError(`Unknown option '--${name}'.${question}`)
}

function namesOf(known: OptionTable, wanted: (type: string) => boolean): string[] {
  return Object.keys(known).filter((name) => wanted(known[name]?.type ?? ''))
}

function parse(rawArgs: readonly string[], known: OptionTable) {
  const options = Object.fromEntries(
    Object.entries(known)
      .filter(([, { type }]) => type !== 'positional')
      .map(([name, { type }]) => [name, { type: type === 'boolean' ? type : 'string' } as const]),
  )
  return parseArgs({
    args: [...rawArgs],
    options,
    allowPositionals: true,
    strict: false,
    tokens: true,
  })
}
