import { ConfigurationError } from '../errors.ts'
import { type Option, type OptionTable, option, refuse } from '../options/option.ts'
import { group } from '../options/read-options.ts'
import { AesSealer } from './aes-sealer.ts'
import { readSealKey, type SealKeyInput } from './seal-key.ts'
import type { Sealer } from './sealer.ts'

/** How the values of sessions are encrypted in the database. */
export interface SealSettings {
  /**
   * Keys for AES-256-GCM: 32 random bytes each, as they are or in base64, or a `CryptoKey` for HMAC with SHA-256.
   * The first one seals, the others only open. Later entries may be undefined.
   */
  readonly keys?: SealKeyInput | readonly (SealKeyInput | undefined)[]
  /** Your own way to encrypt, instead of `keys`. */
  readonly sealer?: Sealer
  /**
   * Until when values count that are not sealed: those from before. Afterwards they are refused, so that write access
   * to the database is not enough to plant one. Defaults to never.
   */
  readonly acceptUnsealedUntil?: Date | string
  /**
   * From when on new values are sealed, so that every process knows the keys by then. Needs `acceptUnsealedUntil`.
   * Defaults to at once.
   */
  readonly sealFrom?: Date | string
}

/** The setting as `readOptions` gives it; times in milliseconds since the epoch. */
export interface SealOptions {
  readonly sealer: Sealer
  readonly acceptUnsealedUntil: number
  readonly sealFrom: number
}

const TIME = "a Date, or a time such as '2027-01-31T00:00:00Z'"

function time(fallback: number): Option<number> {
  return option(TIME, fallback, (value, name) => {
    const read = value instanceof Date ? value.getTime() : readTime(value)
    return Number.isNaN(read) ? refuse(name, TIME, value) : read
  })
}

/** `Date.parse` takes `'1'` for a year. */
function readTime(value: unknown): number {
  const isTime = typeof value === 'string' && /^\d{4}-\d\d-\d\d/.test(value)
  return isTime ? Date.parse(value) : Number.NaN
}

interface GivenSettings {
  readonly keys: Sealer | undefined
  readonly sealer: Sealer | undefined
  readonly acceptUnsealedUntil: number
  readonly sealFrom: number
}

const table: OptionTable<GivenSettings> = {
  keys: {
    ...option<Sealer, undefined>('keys of 32 bytes', undefined, readKeys),
    refusesUndefined: 'Is its environment variable set? Values are never stored unsealed for it.',
  },
  sealer: option<Sealer, undefined>('an object with name, seal and open', undefined, readSealer),
  acceptUnsealedUntil: time(Number.NEGATIVE_INFINITY),
  sealFrom: time(Number.NEGATIVE_INFINITY),
}

const given = group<GivenSettings>(table)

/** @throws {ConfigurationError} A key is wrong, or there is none; says what to write, and shows nothing of a key. */
export const sealOption: Option<SealOptions | undefined> = {
  ...option<SealOptions, undefined>(given.takes, undefined, (value, name) => {
    // A key in the setting's place must not get into a message.
    if (typeof value !== 'object' || value === null) throw new ConfigurationError(missing(name))
    const { keys, sealer, acceptUnsealedUntil, sealFrom } = given.read(value, name)
    if ((keys === undefined) === (sealer === undefined)) {
      throw new ConfigurationError(missing(name))
    }
    if (sealFrom > acceptUnsealedUntil) {
      throw new ConfigurationError(
        `${name}.sealFrom is later than ${name}.acceptUnsealedUntil, so values would be stored that are refused afterwards. Set the second to a time after the first, by the longest lifetime of a session.`,
      )
    }
    return { sealer: (keys ?? sealer) as Sealer, acceptUnsealedUntil, sealFrom }
  }),
  refusesUndefined:
    'Values are never stored unsealed for it. Without sealing, leave the setting out.',
}

function missing(name: string): string {
  return `${name} needs an object with either keys or a sealer: { keys: [process.env.SEAL_KEY] }.`
}

function readKeys(value: unknown, name: string): Sealer {
  const listed: unknown[] = Array.isArray(value) ? value : [value]
  const [current, ...previous] = listed
  if (current === undefined || current === '') {
    throw new ConfigurationError(
      `${name} has no current key. Is its environment variable set? Put the key that seals first.`,
    )
  }
  const read = (key: unknown, n: number): ReturnType<typeof readSealKey> =>
    readSealKey(key, Array.isArray(value) ? `${name}[${n}]` : name)
  const others = previous
    .map((key, n) => (key === undefined || key === '' ? null : read(key, n + 1)))
    .filter((key) => key !== null)
  return new AesSealer([read(current, 0), ...others])
}

function readSealer(value: unknown, name: string): Sealer {
  const { name: own, seal, open } = Object(value) as Partial<Sealer>
  const isSealer =
    typeof own === 'string' && typeof seal === 'function' && typeof open === 'function'
  return isSealer ? (value as Sealer) : refuse(name, 'an object with name, seal and open', value)
}
