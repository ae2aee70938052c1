import { ConfigurationError } from '../errors.ts'
import { nearestName } from './nearest-name.ts'
import { type Option, type OptionTable, option } from './option.ts'
import { shown } from './shown.ts'

/** What a maker says beside its table. */
export interface OptionAdvice {
  /** What to write instead of names that other libraries use: `{ maxAge: 'Set idleTimeout.' }`. */
  readonly instead?: Readonly<Record<string, string>>
}

/**
 * Reads the options of a maker by its table, and fills in the defaults.
 *
 * An option that is undefined counts as left out, unless its table says otherwise. An unknown name is refused, since a misspelled one
 * would silently leave its default in force.
 *
 * @param maker - The function or class in messages: `createSessions`.
 * @throws {ConfigurationError} An option is unknown or wrong; the message says what to write.
 * @example
 * ```ts
 * import { duration } from './option.ts'
 *
 * const { deadline } = readOptions('new Store', { deadline: duration('5s') }, { deadline: '500ms' })
 * ```
 */
export function readOptions<Values extends object>(
  maker: string,
  table: OptionTable<Values>,
  given: unknown,
  { instead = {} }: OptionAdvice = {},
): Values {
  return readGroup(table, given ?? {}, {
    maker,
    what: `The options of ${maker}`,
    prefix: '',
    instead,
  }) as Values
}

/** Several options under one name, such as `cookie: { name, path }`. */
export function group<Values extends object>(
  table: OptionTable<Values>,
  { instead = {} }: OptionAdvice = {},
): Option<Values> {
  const takes = `an object with ${list(Object.keys(table))}`
  return option<Values>(takes, defaultsOf(table) as Values, (value, name) => {
    return readGroup(table, value, {
      maker: name,
      what: name,
      prefix: `${name}.`,
      instead,
    }) as Values
  })
}

interface Place {
  readonly maker: string
  readonly what: string
  readonly prefix: string
  readonly instead: Readonly<Record<string, string>>
}

type AnyTable = Readonly<Record<string, Option<unknown>>>

function readGroup(table: object, given: unknown, place: Place): Record<string, unknown> {
  if (!isOptions(given)) {
    const names = list(Object.keys(table))
    throw new ConfigurationError(
      `${place.what} must be an object with ${names}; it is ${kindOf(given)}.`,
    )
  }
  const values = defaultsOf(table)
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(table, name)) throw unknownName(name, table, place)
    const { read, refusesUndefined } = (table as AnyTable)[name] as Option<unknown>
    const path = `${place.prefix}${name}`
    if (value !== undefined) values[name] = read(value, path)
    else if (refusesUndefined !== undefined) {
      throw new ConfigurationError(`${path} is undefined. ${refusesUndefined}`)
    }
  }
  return values
}

/** A regular expression or a map has no options of its own, so each default would stay in force. */
function isOptions(given: unknown): given is object {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return false
  return !BUILT_IN.test(Object.prototype.toString.call(given))
}

const BUILT_IN = /^\[object (RegExp|Date|Map|Set|Promise)\]$/

function kindOf(given: unknown): string {
  const [, builtIn] = BUILT_IN.exec(Object.prototype.toString.call(given)) ?? []
  return builtIn === undefined ? shown(given) : `a ${builtIn}`
}

function defaultsOf(table: object): Record<string, unknown> {
  const entries = Object.entries(table as AnyTable)
  return Object.fromEntries(entries.map(([name, { fallback }]) => [name, fallback]))
}

function unknownName(name: string, table: object, place: Place): ConfigurationError {
  const { maker, instead } = place
  const names = Object.keys(table)
  const nearest = nearestName(name, names)
  const advice = Object.hasOwn(instead, name)
    ? instead[name]
    : nearest === undefined
      ? `Its options are ${list(names)}.`
      : `Did you mean ${nearest}?`
  return new ConfigurationError(`${maker} has no option ${shown(name)}. ${advice}`)
}

function list(names: readonly string[]): string {
  return [...names].sort().join(', ')
}
