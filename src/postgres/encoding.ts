/** How values travel to and from PostgreSQL as text. */

/** Bytes as hexadecimal digits, for `decode(…, 'hex')`. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

export function fromHex(digits: string): Uint8Array {
  return Buffer.from(digits, 'hex')
}

/** Milliseconds as an interval's literal; null when they never pass, or there are none. */
// In seconds: PostgreSQL 14 refuses more than 2^31 of a unit, and so a month in milliseconds.
export function interval(milliseconds: number = Number.POSITIVE_INFINITY): string | null {
  return milliseconds === Number.POSITIVE_INFINITY ? null : `${(milliseconds / 1000).toFixed(6)} s`
}

/** An array's literal of elements that need no quoting (digits, UUIDs), or are empty or null. */
export function plainArray(elements: readonly (string | null)[]): string {
  return `{${elements.map((element) => (element === '' ? '""' : (element ?? 'null'))).join(',')}}`
}

/**
 * An array's literal of any text.
 *
 * @see https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
 */
export function textArray(elements: readonly (string | null)[]): string {
  return `{${elements.map((element) => (element === null ? 'null' : quoted(element))).join(',')}}`
}

/** Several byte strings as an array's literal of hexadecimal digits. */
export function hexArray(list: readonly Uint8Array[]): string {
  return plainArray(list.map(hex))
}

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
