import type { CookieData } from './cookie-data.ts'

/**
 * Writes a `Set-Cookie` header as express-session does, with the same errors. Which attributes go together
 * is not checked, since it is not checked there either.
 *
 * @throws {TypeError} If the name or an attribute is not one.
 */
export function cookieText(name: string, value: string, data: CookieData): string {
  const text = encodeURIComponent(value)
  if (!NAME.test(name)) throw new TypeError('argument name is invalid')
  const { domain, path, expires, priority, sameSite } = data
  return [
    `${name}=${text}`,
    domain && `Domain=${checked('domain', domain, DOMAIN)}`,
    path && `Path=${checked('path', path, PATH)}`,
    expires && `Expires=${dateText(expires)}`,
    data.httpOnly && 'HttpOnly',
    data.secure && 'Secure',
    data.partitioned && 'Partitioned',
    priority && `Priority=${oneOf('priority', priority, PRIORITIES)}`,
    sameSite &&
      `SameSite=${sameSite === true ? 'Strict' : oneOf('sameSite', sameSite, SAME_SITES)}`,
  ]
    .filter(Boolean)
    .join('; ')
}

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const DOMAIN =
  /^\.?[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i
const PATH = /^[\x20-\x3a\x3c-\x7e]*$/
const PRIORITIES = ['Low', 'Medium', 'High']
const SAME_SITES = ['Strict', 'Lax', 'None']

function checked(option: string, value: string, form: RegExp): string {
  if (form.test(value)) return value
  throw new TypeError(`option ${option} is invalid`)
}

function dateText(expires: unknown): string {
  if (expires instanceof Date && !Number.isNaN(expires.valueOf())) return expires.toUTCString()
  throw new TypeError('option expires is invalid')
}

function oneOf(option: string, value: unknown, known: readonly string[]): string {
  const lower = typeof value === 'string' ? value.toLowerCase() : null
  const found = known.find((it) => it.toLowerCase() === lower)
  if (found !== undefined) return found
  throw new TypeError(`option ${option} is invalid`)
}
