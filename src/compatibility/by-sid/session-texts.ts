import type { Codec } from '../../codec/codec.ts'
import { jsonCodec } from '../../codec/json-codec.ts'
import { rootPath } from '../../codec/value-path.ts'
import { UndecodableError } from '../../errors.ts'
import { checkKeySize } from '../../store/key-limit.ts'
import type { Entry } from '../../store/session-store.ts'

/**
 * What a session object holds, as JSON text by top-level key.
 *
 * These middlewares have always stored `JSON.stringify(session)`, so what it does to dates, classes and
 * `undefined` is what applications expect. Texts can be compared with what was stored; objects that
 * handlers change in place cannot.
 */
export type SessionTexts = Map<string, string>

/** The texts of an object's own keys, leaving out what JSON leaves out. */
export function textsOf(session: object): SessionTexts {
  const source = jsonView(session)
  const texts: SessionTexts = new Map()
  for (const key of Object.keys(source)) {
    const text: string | undefined = JSON.stringify(source[key])
    if (text !== undefined) texts.set(key, text)
  }
  return texts
}

/** What is to be written and removed so that `stored` becomes `wanted`. */
export interface TextChanges {
  readonly written: readonly (readonly [key: string, text: string])[]
  readonly deleted: readonly string[]
}

/**
 * Compares key by key.
 *
 * @param isHidden - Whether the middleware's object cannot carry a key, so that its absence says nothing.
 */
export function changedTexts(
  stored: ReadonlyMap<string, string>,
  wanted: ReadonlyMap<string, string>,
  isHidden: (key: string) => boolean,
): TextChanges {
  return {
    written: [...wanted].filter(([key, text]) => !isSame(stored.get(key), text)),
    deleted: [...stored.keys()].filter((key) => !wanted.has(key) && !isHidden(key)),
  }
}

/** Whether a stored text says the same; another system may have written it with other spacing. */
function isSame(stored: string | undefined, text: string): boolean {
  if (stored === undefined || stored === text) return stored === text
  return JSON.stringify(JSON.parse(stored)) === text
}

/** @throws {InvalidValueError} The key or value cannot be stored. */
export function encodeText(codec: Codec, key: string, text: string): Entry {
  const value =
    codec === jsonCodec ? Buffer.from(text, 'utf8') : codec.encode(JSON.parse(text), key)
  const encodedKey = codec.encodeKey(key)
  checkKeySize(rootPath(key), encodedKey)
  return { key: encodedKey, value }
}

/** Reads entries. `onUndecodable` is told of those that do not decode, which count as absent. */
export function readSession(
  codec: Codec,
  entries: readonly Entry[],
  onUndecodable: (key: string | null) => void,
): ReadSession {
  const texts: SessionTexts = new Map()
  const session: Record<string, unknown> = {}
  for (const entry of entries) {
    let key: string | null = null
    try {
      key = codec.decodeKey(entry.key)
      const value = codec.decode(entry.value)
      const text = codec === jsonCodec ? textOf(entry.value) : JSON.stringify(value)
      if (text === undefined) continue
      texts.set(key, text)
      define(session, key, value)
    } catch (error) {
      if (!(error instanceof UndecodableError)) throw error
      onUndecodable(key)
    }
  }
  return { texts, session }
}

/** A stored session as texts, and as an object that has no part in common with anybody's. */
export interface ReadSession {
  readonly texts: SessionTexts
  readonly session: Record<string, unknown>
}

/** Assigned, a key `__proto__` would change what the object is. */
function define(session: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') {
    session[key] = value
    return
  }
  Object.defineProperty(session, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  })
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

function jsonView(session: object): Readonly<Record<string, unknown>> {
  const { toJSON } = session as { readonly toJSON?: unknown }
  return (typeof toJSON === 'function' ? toJSON.call(session, '') : session) as Readonly<
    Record<string, unknown>
  >
}
