import { parseCookie } from 'cookie-es'

/** What a Cookie header says about one cookie. */
export type CookieReading =
  | { readonly status: 'absent' }
  /** The value as it stands: not decoded, and with its quotes if it has any. */
  | { readonly status: 'found'; readonly value: string }
  /** The cookie was sent more than once with different values, so none can be trusted. */
  | { readonly status: 'ambiguous' }

/**
 * The longest header that is read. Node's own limit for all headers is 16 KiB; this bounds the work
 * where that was raised.
 */
const LONGEST_HEADER = 65_536

const ABSENT: CookieReading = Object.freeze({ status: 'absent' })
const AMBIGUOUS: CookieReading = Object.freeze({ status: 'ambiguous' })

/**
 * Finds one cookie in the value of a `Cookie` header. Takes any string and never throws.
 *
 * The name is compared exactly, by case as well: browsers guard `__Host-id` and `__hOsT-id` alike,
 * yet as two cookies. Only spaces and tabs around name and value are dropped; a no-break space
 * before the name makes it another name, which no prefix guards (CVE-2026-39410). Names and values
 * are not percent-decoded. A header of more than 64 KiB counts as none.
 *
 * Of two values neither wins, since an attacker who can plant a cookie (another application on a sibling
 * host, say) can also choose the order. The same value twice is one value.
 *
 * @param duplicates - What to make of different values; `'first'` for a cookie that is shared with a
 *   system which takes the first, so that both mean the same session.
 * @see https://www.rfc-editor.org/rfc/rfc6265#section-5.2
 * @example
 * ```ts
 * readCookie('theme=dark; __Host-id=abc', '__Host-id') // { status: 'found', value: 'abc' }
 * ```
 */
export function readCookie(
  header: string | null | undefined,
  name: string,
  duplicates: 'reject' | 'first' = 'reject',
): CookieReading {
  if (typeof header !== 'string' || header.length > LONGEST_HEADER) return ABSENT
  const values = parseCookie(header, {
    allowMultiple: true,
    decode: asItStands,
    filter: (found) => found === name,
  })[name]
  if (values === undefined) return ABSENT
  if (typeof values === 'string') return { status: 'found', value: values }
  const [value] = values
  const isClear = duplicates === 'first' || values.every((other) => other === value)
  return value !== undefined && isClear ? { status: 'found', value } : AMBIGUOUS
}

function asItStands(value: string): string {
  return value
}
