/** Where a value lies in a store. */
export interface ValuePlace {
  readonly sessionId: string
  readonly key: Uint8Array
}

/** A value as it is stored, of a session that is live or dead. */
export interface StoredValue extends ValuePlace {
  readonly value: Uint8Array
}

/** Which values of the store to read next, in the order of their places. */
export interface ValuePage {
  /** Reads those after this place; null for the first. */
  readonly after: ValuePlace | null
  /** How many at most. */
  readonly limit: number
  /** How many bytes at most; a page has at least one value if there is any. */
  readonly bytes: number
}

/** A value to replace if it still is what the caller saw. */
export interface ValueReplacement extends StoredValue {
  readonly expected: Uint8Array
}
