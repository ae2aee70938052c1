/**
 * What better-auth stores under a session's token: the session and its user, as JSON. And the list of a user's
 * sessions, which it keeps beside them.
 */

/** A session as better-auth stores it. */
export interface SessionValue {
  readonly userId: string
  readonly token: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** Reads a value that holds a session; null for any other. It is stored under the session's token. */
export function readSessionValue(text: string): SessionValue | null {
  const session = readObject(readObject(text)?.session)
  const { userId, token, expiresAt } = session ?? {}
  if (typeof token !== 'string') return null
  if (typeof userId !== 'string' && typeof userId !== 'number') return null
  const time = new Date(expiresAt as string).getTime()
  return Number.isNaN(time) ? null : { userId: String(userId), token, expiresAt: time }
}

const LIST_PREFIX = 'active-sessions-'

/** The user whose sessions a key lists; null for any other key. */
export function listedUser(key: string): string | null {
  return key.startsWith(LIST_PREFIX) ? key.slice(LIST_PREFIX.length) || null : null
}

/** Whether a text is a list of sessions, as better-auth writes it. */
export function isSessionList(text: string): boolean {
  const list = parse(text)
  return Array.isArray(list) && list.every((item) => typeof readObject(item)?.token === 'string')
}

/** Writes the list of a user's sessions as better-auth does: the last to expire comes last. */
export function writeSessionList(sessions: readonly SessionValue[]): string | null {
  if (sessions.length === 0) return null
  const sorted = sessions.toSorted((one, other) => one.expiresAt - other.expiresAt)
  return JSON.stringify(sorted.map(({ token, expiresAt }) => ({ token, expiresAt })))
}

/**
 * Applies to a stored session what a caller has changed in it: other fields keep what concurrent callers have
 * written.
 *
 * @param base - What the caller has read.
 * @param text - What it has made of that.
 * @param current - What is stored now.
 * @returns What to store; `text` itself if one of them is not an object.
 */
export function mergeSession(base: string, text: string, current: string): string {
  const [before, after, target] = [base, text, current].map(readObject)
  if (!before || !after || !target) return text
  for (const { path, value } of changesBetween(before, after)) apply(target, path, value)
  return JSON.stringify(target)
}

type Fields = Record<string, unknown>

interface Change {
  readonly path: readonly [string] | readonly [part: string, field: string]
  /** Undefined for a field that is gone. */
  readonly value: unknown
}

/** By field of the session and of the user, since these are what an application adds to. */
function changesBetween(base: Fields, wanted: Fields): readonly Change[] {
  return namesOf(base, wanted).flatMap((part): Change[] => {
    const [before, after] = [base[part], wanted[part]]
    if (!isFields(before) || !isFields(after)) {
      return isSame(before, after) ? [] : [{ path: [part], value: after }]
    }
    return namesOf(before, after)
      .filter((field) => !isSame(before[field], after[field]))
      .map((field) => ({ path: [part, field], value: after[field] }))
  })
}

function apply(target: Fields, [part, field]: Change['path'], value: unknown): void {
  const fields = target[part]
  if (field === undefined) setField(target, part, value)
  else if (isFields(fields)) setField(fields, field, value)
}

/** Defined rather than assigned, since the name comes from a request: `__proto__` is a name like any other. */
function setField(target: Fields, name: string, value: unknown): void {
  if (value === undefined) delete target[name]
  else
    Object.defineProperty(target, name, {
      value,
      configurable: true,
      enumerable: true,
      writable: true,
    })
}

function namesOf(one: Fields, other: Fields): string[] {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])]
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

/** An object, or the one that a text stands for; null for anything else. */
function readObject(value: unknown): Fields | null {
  const object = typeof value === 'string' ? parse(value) : value
  return isFields(object) ? object : null
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
