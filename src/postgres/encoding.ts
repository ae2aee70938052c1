/** How values travel to and from PostgreSQL as text. */

/** Bytes as hexadecimal digits, for `decode(…, 'hex')`. */
export function hex(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('hex')
}

export function fromHex(digits: string): Uint8Array {
  return Buffer.from(digits, 'hex')
}

/** Several byte strings as the literal of a `text[]` of hexadecimal digits. */
export function hexArray(list: readonly Uint8Array[]): string {
  return `{${list.map((bytes) => hex(bytes) || '""').join(',')}}`
}

/** Milliseconds as an interval's literal; null when they never pass. */
export function interval(milliseconds: number): string | null {
  return milliseconds === Number.POSITIVE_INFINITY ? null : `${milliseconds} ms`
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
