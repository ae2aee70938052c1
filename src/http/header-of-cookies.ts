import { readCookies } from '../cookie/cookie-header.ts'

/** What a name, or a value that was not encoded, may consist of. @see RFC 6265 §4.1.1 */
const PLAIN = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/

/**
 * Writes the `Cookie` header of cookies that a framework has taken apart and decoded, where a value with a `;` in it
 * would now begin a cookie.
 *
 * @param shown - The cookies as the framework shows them: of several with one name, the last.
 * @param sent - The header that the request brought, to find the others of that name; null if it is not known.
 */
export function headerOfCookies(
  shown: readonly { readonly name: string; readonly value: string }[],
  sent: string | null,
): string {
  const values = readCookies(sent)
  const written = shown.flatMap(({ name, value }) => {
    if (!PLAIN.test(name) || name.includes('=')) return []
    const twins = values.get(name) ?? []
    // Once another value is shown, this request has set it.
    const isAsSent = twins.map(decoded).findLast((each) => each !== null) === value
    return (isAsSent ? twins : [value].filter(isPlain)).map((each) => `${name}=${each}`)
  })
  return written.join('; ')
}

function isPlain(value: string): boolean {
  return PLAIN.test(value)
}

/** Null for what no framework shows. */
function decoded(value: string): string | null {
  try {
    return decodeURIComponent(value)
  } catch {
    return null
  }
}
