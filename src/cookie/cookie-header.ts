import { parseCookie } from 'cookie-es'

/**
 * The longest header that is read. Node's own limit for all headers is 16 KiB; this bounds the work
 * where that was raised.
 */
const LONGEST_HEADER = 65_536

/**
 * Finds one cookie in the value of a `Cookie` header. Takes any string and never throws.
 *
 * The name is compared exactly, by case as well: browsers guard `__Host-id` and `__hOsT-id` alike,
 * yet as two cookies. Only spaces and tabs around name and value are dropped; a no-break space
 * before the name makes it another name, which no prefix guards (CVE-2026-39410). Names and values
 * are not percent-decoded. A header of more than 64 KiB counts as none.
 *
 * A browser sends several values for cookies that were set for other paths or domains. All are given,
 * each once: an attacker who can plant a cookie (another application on a sibling host, say) can also choose
 * its place in the order.
 *
 * @returns The values as they stand: not decoded, and with their quotes if they have any.
 * @see https://www.rfc-editor.org/rfc/rfc6265#section-5.2
 * @example
 * ```ts
 * readCookie('theme=dark; __Host-id=abc', '__Host-id') // ['abc']
 * ```
 */
export function readCookie(header: string | null | undefined, name: string): readonly string[] {
  if (!isReadable(header)) return []
  const values = parseCookie(header, {
    allowMultiple: true,
    decode: asItStands,
    filter: (found) => found === name,
  })[name]
  if (values === undefined) return []
  return typeof values === 'string' ? [values] : [...new Set(values)]
}

/**
 * Reads all cookies of a `Cookie` header: the values of each name in their order, as they stand. A header of more
 * than 64 KiB counts as none.
 */
export function readCookies(
  header: string | null | undefined,
): ReadonlyMap<string, readonly string[]> {
  if (!isReadable(header)) return new Map()
  const found = parseCookie(header, { allowMultiple: true, decode: asItStands })
  return new Map(Object.entries(found).map(([name, values]) => [name, [values ?? []].flat()]))
}

function isReadable(header: string | null | undefined): header is string {
  return typeof header === 'string' && header.length <= LONGEST_HEADER
}

function asItStands(value: string): string {
  return value
}
