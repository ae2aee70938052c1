/**
 * What a stored value begins with when it is sealed. No text of JSON or devalue begins with a zero byte. The view
 * `session_entry` knows it, too.
 */
const MARK = Buffer.from('\0seal')

export const MARK_SIZE: number = MARK.length

/** Marks what a sealer has made, as it is stored. */
export function marked(sealed: Uint8Array): Uint8Array {
  return Buffer.concat([MARK, sealed])
}

/** What a sealer has made; null if a stored value is not sealed. */
export function sealedPart(stored: Uint8Array): Uint8Array | null {
  const isMarked =
    stored[0] === 0 && stored.length >= MARK_SIZE && MARK.compare(stored, 0, MARK_SIZE) === 0
  return isMarked ? stored.subarray(MARK_SIZE) : null
}
