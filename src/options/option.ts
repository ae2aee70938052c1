import { ConfigurationError } from '../errors.ts'
import { type Duration, parseDuration } from './duration.ts'
import { shown } from './shown.ts'

/** One option of a maker: what it takes, what it means, and its default. */
export interface Option<Value> {
  /** What it takes, for messages and documents: `'strict', 'lax' or 'none'`. */
  readonly takes: string
  /** The value of an option that is left out. */
  readonly fallback: Value
  /**
   * Why `undefined` is refused where the option is named, instead of standing for the default. For
   * options that must not disappear with an environment variable.
   */
  readonly refusesUndefined?: string
  /**
   * Reads a given value.
   *
   * @param name - The option's full name, for messages: `cookie.path`.
   * @throws {ConfigurationError} The value is wrong.
   */
  read(value: unknown, name: string): Value
}

/** The options of a maker by name. A type that lists them all keeps table and documentation in step. */
export type OptionTable<Values extends object> = {
  readonly [Name in keyof Required<Values>]: Option<Values[Name]>
}

/** An option with a reader of its own. */
export function option<Value, Fallback extends Value | undefined = Value>(
  takes: string,
  fallback: Fallback,
  read: (value: unknown, name: string) => Value,
): Option<Value | Fallback> {
  return { takes, fallback, read }
}

/** Milliseconds, written as a duration. `words` stand for no limit: `{ none: Infinity }`. */
export function duration<Fallback extends string | undefined>(
  fallback: Fallback,
  words: Readonly<Record<string, number>> = {},
): Option<number | (Fallback extends string ? never : undefined)> {
  const names = Object.keys(words)
  const read = (value: unknown, name: string): number => {
    if (typeof value === 'string' && Object.hasOwn(words, value)) return words[value] as number
    return parseDuration(name, value as Duration, names)
  }
  const alternatives = names.map((word) => `, or '${word}'`).join('')
  return {
    takes: `a duration with its unit, such as '30m', '1h' or '14d'${alternatives}`,
    fallback: (fallback === undefined ? undefined : read(fallback, 'default')) as number,
    read,
  }
}

export function flag(fallback: boolean): Option<boolean> {
  return option('true or false', fallback, (value, name) =>
    typeof value === 'boolean' ? value : refuse(name, 'true or false', value),
  )
}

/** One of a few words. */
export function oneOf<const Choice extends string, Fallback extends Choice | null | undefined>(
  choices: readonly Choice[],
  fallback: Fallback,
): Option<Choice | Fallback> {
  const quoted = choices.map((choice) => `'${choice}'`)
  const takes = [quoted.slice(0, -1).join(', '), ...quoted.slice(-1)].filter(Boolean).join(' or ')
  return option<Choice | Fallback, Fallback>(takes, fallback, (value, name) => {
    return choices.find((choice) => choice === value) ?? refuse(name, takes, value)
  })
}

/** What an `int` of PostgreSQL holds. */
const MOST = 2 ** 31 - 1

export function wholeNumber(fallback: number, least = 1): Option<number> {
  const takes = `a whole number of at least ${least}`
  return option(takes, fallback, (value, name) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least) {
      return refuse(name, takes, value)
    }
    return value <= MOST ? value : refuse(name, `at most ${MOST}`, value)
  })
}

/** A function; `example` shows how to write it. */
export function callback<Callback extends (...args: never[]) => unknown, Fallback>(
  example: string,
  fallback: Fallback,
): Option<Callback | Fallback> {
  const takes = `a function, such as: ${example}`
  return option<Callback | Fallback, Fallback>(takes, fallback, (value, name) =>
    typeof value === 'function' ? (value as Callback) : refuse(name, takes, value),
  )
}

/** An object with these methods; a name or a class in its place would fail only at the first visitor. */
export function objectWith<Value extends object>(
  takes: string,
  methods: readonly (keyof Value & string)[],
): Option<Value | undefined> {
  return option<Value | undefined, undefined>(takes, undefined, (value, name) => {
    const given = Object(value) as Record<string, unknown>
    const isWhole = methods.every((method) => typeof given[method] === 'function')
    return isWhole ? (value as Value) : refuse(name, takes, value)
  })
}

/** Passed on as it is: something else checks it. */
export function unchecked<Value>(takes: string): Option<Value | undefined> {
  return option<Value | undefined, undefined>(takes, undefined, (value) => value as Value)
}

/** @throws {ConfigurationError} Always. */
export function refuse(name: string, takes: string, value: unknown): never {
  throw new ConfigurationError(`${name} must be ${takes}; it is ${shown(value)}.`)
}
