import { parseArgs } from 'node:util'
import type { ArgsDef } from 'citty'
import { ConfigurationError } from '../errors.ts'

/**
 * Refuses what a command does not take. citty would pass over it, and `destroy --user ann --exept x`
 * would end the very session that was to stay.
 *
 * @throws {ConfigurationError} An option is unknown, lacks its value or is given twice; or there are
 *   more arguments than the command takes.
 */
export function refuseWrongArgs(rawArgs: readonly string[], known: ArgsDef): void {
  const positionals = Object.values(known).filter((arg) => arg.type === 'positional')
  const options = Object.fromEntries(
    Object.entries(known)
      .filter(([, arg]) => arg.type !== 'positional')
      .map(([name, arg]) => [
        name,
        { type: arg.type === 'boolean' ? 'boolean' : 'string' } as const,
      ]),
  )
  const { tokens } = parse(rawArgs, options)
  const given = new Set<string>()
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    if (given.has(token.name)) {
      throw new ConfigurationError(`Option '--${token.name}' is given twice.`)
    }
    given.add(token.name)
  }
  const { length } = tokens.filter(({ kind }) => kind === 'positional')
  if (length > positionals.length) {
    // What stands in the wrong place may be a connection string, so it is not repeated.
    throw new ConfigurationError(
      `This command takes ${positionals.length === 0 ? 'options only' : 'one argument'}, and something else was written.`,
    )
  }
}

type Options = Record<string, { type: 'boolean' | 'string' }>

function parse(
  rawArgs: readonly string[],
  options: Options,
): { readonly tokens: NonNullable<ReturnType<typeof parseTokens>> } {
  try {
    return { tokens: parseTokens(rawArgs, options) }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    // Its first sentence says what is wrong; the others explain Node's own conventions.
    const [problem = error.message] = error.message.split(/[.\n]/)
    throw new ConfigurationError(`${problem}.`)
  }
}

function parseTokens(rawArgs: readonly string[], options: Options) {
  return parseArgs({ args: [...rawArgs], options, allowPositionals: true, tokens: true }).tokens
}
