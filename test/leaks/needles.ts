import { Buffer } from 'node:buffer'

/** A thing that must not be found, in every form in which it could lie about. */
export interface Needle {
  /** What it is, for messages that must not show it either. */
  readonly what: string
  readonly forms: readonly Buffer[]
}

/** A text: as it is, and as its bytes look in PostgreSQL's and JavaScript's usual spellings. */
export function textNeedle(what: string, text: string): Needle {
  return { what, forms: [Buffer.from(text), ...spellings(Buffer.from(text))] }
}

/** Bytes: as they are, and in the same spellings. */
export function bytesNeedle(what: string, bytes: Uint8Array): Needle {
  const buffer = Buffer.from(bytes)
  return { what, forms: [buffer, ...spellings(buffer)] }
}

/** A secret in base64url: the text of it, and the random bytes behind it. */
export function secretNeedle(what: string, secret: string): Needle {
  const text = textNeedle(what, secret)
  const raw = bytesNeedle(what, Buffer.from(secret, 'base64url'))
  return { what, forms: [...text.forms, ...raw.forms] }
}

/** What of the needles lies in the haystack, by name. */
export function find(needles: readonly Needle[], haystack: Buffer | string): string[] {
  // Typed arrays are inspected in columns.
  const hays =
    typeof haystack === 'string'
      ? [Buffer.from(haystack), Buffer.from(haystack.replaceAll(/\s/g, ''))]
      : [haystack]
  return needles.flatMap(({ what, forms }) =>
    forms.some((form) => hays.some((hay) => hay.includes(form))) ? [what] : [],
  )
}

function spellings(bytes: Buffer): Buffer[] {
  const hex = bytes.toString('hex')
  const base64 = bytes.toString('base64').replace(/=+$/, '')
  const list = [...bytes].join(',')
  // As `util.inspect` and `JSON.stringify` show bytes.
  const inspected = hex.replaceAll(/..(?!$)/g, '$& ')
  const spelt = [hex, hex.toUpperCase(), base64, bytes.toString('base64url'), list, inspected]
  return spelt.map((text) => Buffer.from(text))
}
