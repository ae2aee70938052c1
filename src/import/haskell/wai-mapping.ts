import type { Codec } from '../../codec/codec.ts'
import { jsonCodec } from '../../codec/json-codec.ts'
import { rootPath } from '../../codec/value-path.ts'
import { ConfigurationError, isSessionError } from '../../errors.ts'
import type { Cereal } from '../../haskell/cereal/cereal.ts'
import { string } from '../../haskell/cereal/texts.ts'
import { checkKeySize } from '../../store/key-limit.ts'
import type { Entry } from '../../store/session-store.ts'

/** A session of wai-session-postgresql, as a mapping is given it. */
export interface WaiSession<Key, Value> {
  readonly entries: ReadonlyMap<Key, Value>
  readonly createdAt: Date
  readonly lastAccessAt: Date
}

/** What a mapping makes of it. */
export interface MappedSession {
  /** What the session is to hold here. */
  readonly data: Readonly<Record<string, unknown>>
  /** The session's user, as `signIn` takes it; none by default. */
  readonly userId?: string | null | undefined
}

/** How sessions of Haskell become sessions of ours. */
export interface WaiMapping<Key = string, Value = string> {
  /** The type of keys, the `k` of Haskell's `Session m k v`. Defaults to `cereal.string`. */
  readonly key?: Cereal<Key>
  /** The type of values, the `v`. Defaults to `cereal.string`. */
  readonly value?: Cereal<Value>
  /**
   * Turns one session into one of ours; null leaves it where it is. It should do nothing but compute.
   * Defaults to the entries as they are, for keys that are strings.
   */
  readonly map?: (session: WaiSession<Key, Value>) => MappedSession | null
  /** The codec of `createSessions`. Defaults to JSON, as there. */
  readonly codec?: Codec
  /**
   * Whether an entry of other types, or of more than 4 MiB, is left out, as the original takes it for
   * absent too. Otherwise its session stays where it is. `fromWai` leaves it out by default, with an event
   * `decodeFailed`; `pg-sessions import wai` leaves the session by default, and says how many it left.
   */
  readonly dropUndecodable?: boolean
}

/** What a session will be here, or why it cannot be one. */
type Mapped =
  | {
      readonly entries: readonly Entry[]
      readonly userId: string | null
      readonly undecodable: readonly (string | null)[]
    }
  | { readonly problem: string }

/** The times of a session, in milliseconds since the epoch. */
interface WaiTimes {
  readonly createdAt: number
  readonly lastAccessAt: number
}

/** Turns what a row holds into what a session here holds. Never throws at what a row or a mapping does. */
export type MapSession = (entries: readonly Entry[], times: WaiTimes) => Mapped

/** @throws {ConfigurationError} The mapping is none; says what to write. */
export function mapperOf<Key, Value>(mapping: WaiMapping<Key, Value>): MapSession {
  check(mapping)
  const { codec = jsonCodec, dropUndecodable = false } = mapping
  const key = (mapping.key ?? string) as Cereal<Key>
  const value = (mapping.value ?? string) as Cereal<Value>
  const { map } = mapping
  return (stored, { createdAt, lastAccessAt }) => {
    const entries = new Map<Key, Value>()
    const unchanged = new Map<string, Entry>()
    const undecodable: (string | null)[] = []
    for (const entry of stored) {
      const name = decodeKey(entry.key, key)
      const decoded = name && decode(entry.value, value)
      let problem = UNDECODABLE
      if (name !== null && decoded !== null) {
        entries.set(name.value, decoded.value)
        if (map !== undefined) continue
        // Without a mapping each entry stands for itself, so one that the codec refuses costs no other.
        const text = String(name.value)
        const same = encodeEntry(text, decoded.value, codec)
        if (same !== null) {
          unchanged.set(text, same)
          continue
        }
        problem = refusedBy(codec)
      }
      if (!dropUndecodable) return { problem }
      undecodable.push(typeof name?.value === 'string' ? name.value : null)
    }
    if (map === undefined) return { entries: [...unchanged.values()], userId: null, undecodable }
    let mapped: MappedSession | null
    try {
      const times = { createdAt: new Date(createdAt), lastAccessAt: new Date(lastAccessAt) }
      mapped = map({ entries, ...times })
    } catch {
      // What it throws may quote what the session holds.
      return { problem: 'the mapping threw' }
    }
    if (mapped === null) return { problem: LEFT_BY_MAPPING }
    const result = encode(mapped, codec)
    return 'problem' in result ? result : { ...result, undecodable }
  }
}

const UNDECODABLE = 'an entry that is not of the given types, or larger than 4 MiB'

/** What a mapping that gave null has asked for. */
export const LEFT_BY_MAPPING = 'left by the mapping'

/** Null when the bytes are not of this type. */
function decode<Value>(bytes: Uint8Array, type: Cereal<Value>): { readonly value: Value } | null {
  try {
    return { value: type.decode(bytes) }
  } catch (error) {
    if (isSessionError(error)) return null
    throw error
  }
}

/** Null also when the key is spelled in a way that Haskell would not find. */
function decodeKey<Key>(bytes: Uint8Array, type: Cereal<Key>): { readonly value: Key } | null {
  const key = decode(bytes, type)
  if (key === null) return null
  try {
    return Buffer.compare(type.encode(key.value), bytes) === 0 ? key : null
  } catch (error) {
    if (isSessionError(error)) return null
    throw error
  }
}

function encode(
  mapped: MappedSession,
  codec: Codec,
): { readonly problem: string } | { readonly entries: Entry[]; readonly userId: string | null } {
  const { data, userId = null } = mapped
  if (typeof data !== 'object' || data === null) return { problem: 'the mapping gave no data' }
  if (userId !== null && !isUserId(userId)) return { problem: 'the mapping gave no usable userId' }
  const entries = Object.entries(data).map(([key, value]) => encodeEntry(key, value, codec))
  return entries.every((entry) => entry !== null)
    ? { entries, userId }
    : { problem: refusedBy(codec) }
}

/** Null when the codec refuses the key or the value, or the key is too long. */
function encodeEntry(name: string, content: unknown, codec: Codec): Entry | null {
  try {
    const key = codec.encodeKey(name)
    checkKeySize(rootPath(name), key)
    return { key, value: codec.encode(content, 'a value') }
  } catch (error) {
    if (isSessionError(error)) return null
    throw error
  }
}

function refusedBy(codec: Codec): string {
  return `a key or value that the codec ${codec.name} refuses`
}

/** As `signIn` takes it. */
function isUserId(userId: unknown): userId is string {
  if (typeof userId !== 'string' || userId === '' || userId.length > 255) return false
  return !/[\0\p{Surrogate}]/u.test(userId)
}

function check<Key, Value>({ key, value, map, codec }: WaiMapping<Key, Value>): void {
  for (const [name, type] of [
    ['key', key],
    ['value', value],
  ] as const) {
    if (type === undefined || typeof type?.parts?.read === 'function') continue
    throw new ConfigurationError(
      `The mapping's ${name} must be a type of pg-sessions/haskell/cereal: export const ${name} = cereal.string`,
    )
  }
  if (map !== undefined && typeof map !== 'function') {
    throw new ConfigurationError(
      "The mapping's map must be a function that turns a session into { data, userId }, or into null to leave it.",
    )
  }
  if (codec !== undefined && typeof codec?.encodeKey !== 'function') {
    throw new ConfigurationError("The mapping's codec must be the codec of createSessions.")
  }
}
