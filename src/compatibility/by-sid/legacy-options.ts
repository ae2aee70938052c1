import { ConfigurationError } from '../../errors.ts'
import type { Duration } from '../../options/duration.ts'

/**
 * Options of `connect-pg-simple` that mean the same here, so that its call may stay as it is. Its other
 * options are refused with the name that they have here.
 */
export interface ConnectPgSimpleOptions {
  /** Seconds that a session lives on without being used: `idleTimeout`. */
  readonly ttl?: number
  /** Seconds between purges, or `false` for none: `purgeInterval`. */
  readonly pruneSessionInterval?: number | false
  /** Whether to create the tables: `migrate: 'auto'` or `'check'`. */
  readonly createTableIfMissing?: boolean
  /** Accesses extend sessions here as well. */
  readonly disableTouch?: false
}

/** What the options say in the words of this package, and the others as they are. */
export function withoutFormerNames<Options extends object>(
  maker: string,
  options: Options & ConnectPgSimpleOptions,
): Options {
  const words = new Words(maker, options)
  words.replace('ttl', 'idleTimeout', (ttl) => seconds(maker, 'ttl', ttl))
  words.replace('pruneSessionInterval', 'purgeInterval', (interval) =>
    interval === false ? 'never' : seconds(maker, 'pruneSessionInterval', interval),
  )
  words.replace('createTableIfMissing', 'migrate', (create) => (create ? 'auto' : 'check'))
  words.replace('disableTouch', null, (isOff) => {
    if (isOff) refuse(maker, 'disableTouch', TOUCH)
  })
  words.replace('pruneSessionRandomizedInterval', null, (randomize) => {
    if (randomize !== true) refuse(maker, 'pruneSessionRandomizedInterval', RANDOM)
  })
  for (const [name, instead] of Object.entries(INSTEAD)) {
    words.replace(name, null, () => refuse(maker, name, instead))
  }
  return words.said as Options
}

const TOUCH =
  'An access always extends a session here, and is written only once in a touchInterval. Leave it out; for sessions that end at a fixed time set absoluteTimeout.'

const RANDOM = 'Pauses between purges always vary by half. Leave it out.'

const INSTEAD: Readonly<Record<string, string>> = {
  conString: 'Write pool: new Pool({ connectionString }) with the Pool of pg.',
  conObject: 'Write pool: new Pool(conObject) with the Pool of pg.',
  pgPromise: 'Write pool: db.$pool, which is the pool of pg behind pg-promise.',
  tableName:
    "Sessions have tables of their own here. To move those of the old one, write fallback: { table: '<tableName>' }.",
  schemaName:
    "Sessions have tables of their own here, in the schema called schema. To move those of the old one, write fallback: { schema: '<schemaName>', table: '<tableName>' }.",
  errorLog: 'Write log: console, or a logger such as pino(), or false for none.',
}

/** The options, with the old words replaced one by one. */
class Words {
  readonly said: Record<string, unknown>
  readonly #maker: string

  constructor(maker: string, options: object) {
    this.said = { ...options }
    this.#maker = maker
  }

  replace(former: string, name: string | null, say: (value: unknown) => unknown): void {
    const value = this.said[former]
    delete this.said[former]
    if (value === undefined) return
    const now = say(value)
    if (name === null) return
    if (this.said[name] !== undefined) {
      throw new ConfigurationError(
        `${this.#maker} was given ${former} and ${name}, which mean the same. Leave ${former} out.`,
      )
    }
    this.said[name] = now
  }
}

function seconds(maker: string, name: string, value: unknown): Duration {
  if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return `${value}s`
  return refuse(
    maker,
    name,
    `It must be a number of seconds above 0, or call it ${name === 'ttl' ? "idleTimeout: '1d'" : "purgeInterval: '15m'"}.`,
  )
}

function refuse(maker: string, name: string, instead: string): never {
  throw new ConfigurationError(
    `${maker} does not take ${name} as connect-pg-simple does. ${instead}`,
  )
}
