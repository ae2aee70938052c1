/** What may be set about the cookie, and what may not. */

import { ConfigurationError } from '../errors.ts'
import { flag, type Option, type OptionTable, oneOf, option, refuse } from '../options/option.ts'
import { group } from '../options/read-options.ts'

/** How the cookie is set. Every part has a safe default; there is no way to turn HttpOnly off. */
export interface CookieSettings {
  /**
   * Defaults to `__Host-id`; to `__Secure-id` with a `domain` or a `path`, which browsers do not
   * allow under `__Host-`; to `id` without Secure. At most 64 characters.
   */
  readonly name?: string
  /**
   * Also send the cookie to the subdomains of this one: `example.com`. By default it goes to the one
   * host that set it.
   */
  readonly domain?: string
  /** Send the cookie only to paths below this one. Defaults to `/`. It is not a security boundary. */
  readonly path?: string
  /** When a request from another site carries the cookie. Defaults to `lax`. */
  readonly sameSite?: 'lax' | 'strict' | 'none'
  /** Send the cookie over https only. Defaults to `true`, or to `false` in `development`. */
  readonly secure?: boolean
  /** Keep one cookie for each site that embeds this one (CHIPS). Defaults to `false`. */
  readonly partitioned?: boolean
  /** Which cookies Chromium drops last when a site has too many. By default not sent. */
  readonly priority?: 'low' | 'medium' | 'high'
  /**
   * Keep the cookie when the browser is closed, for every session rather than only for those with a
   * lifetime of their own ("remember me"). Defaults to `false`.
   */
  readonly persistent?: boolean
  /**
   * What to do with several different tokens in one request. Defaults to `reject`: the token of the session
   * that lives counts, and none does if two live, since one of them may have been planted. Use `first` for a
   * cookie that is shared with a system that takes the first one.
   */
  readonly duplicates?: 'reject' | 'first'
  /**
   * For plain http on localhost or your own network: no Secure, and a name without a prefix. Requests over
   * https and for public hosts are refused. Defaults to `false`.
   *
   * Browsers share cookies between all ports of localhost, so applications that you run side by side sign
   * each other out. Give yours a name, and its cookie is called by it: `development: 'shop'` makes
   * `id-shop`. Turn it on where the environment says development, and nowhere else:
   * `development: process.env.NODE_ENV === 'development' && 'shop'`.
   */
  readonly development?: boolean | string
}

/** Checked settings, complete. */
export interface ResolvedCookie {
  readonly name: string
  /** Null for the one host that set it. */
  readonly domain: string | null
  readonly path: string
  readonly sameSite: 'lax' | 'strict' | 'none'
  readonly httpOnly: true
  readonly secure: boolean
  readonly partitioned: boolean
  /** Null for none. */
  readonly priority: 'low' | 'medium' | 'high' | null
  readonly persistent: boolean
  readonly duplicates: 'reject' | 'first'
  /** The application's name, or whether it is in development. */
  readonly development: boolean | string
}

const LONGEST_NAME = 64

/** Values of NODE_ENV, of which some mean the opposite of development. */
const ENVIRONMENT = /^(?:prod(?:uction)?|dev(?:elopment)?|test|staging)$/i

/** RFC 6265 section 4.1.1 takes the token of RFC 2616. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** Labels of letters, digits and inner hyphens. */
const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i
/** `path-value` of RFC 6265: printable ASCII without the semicolon; browsers drop what is longer. */
const PATH = /^\/[\x20-\x3a\x3c-\x7e]{0,1023}$/

/** The settings as `readOptions` gives them: undefined or null where the others decide. */
interface CookieOptions extends Omit<ResolvedCookie, 'name' | 'secure' | 'httpOnly'> {
  readonly name: string | undefined
  readonly secure: boolean | undefined
}

export const cookieOptions: OptionTable<CookieOptions> = {
  name: option<string, undefined>('a cookie name', undefined, readName),
  domain: option<string | null, null>('a host name', null, readDomain),
  path: option('a path', '/', readPath),
  sameSite: oneOf(['lax', 'strict', 'none'], 'lax'),
  secure: { ...flag(true), fallback: undefined },
  partitioned: flag(false),
  priority: oneOf(['low', 'medium', 'high'], null),
  persistent: flag(false),
  duplicates: oneOf(['reject', 'first'], 'reject'),
  development: option<boolean | string>(
    'true, false or a name for your application',
    false,
    readDevelopment,
  ),
}

/** What to write instead of settings that other packages have. */
const INSTEAD: Readonly<Record<string, string>> = {
  httpOnly: 'The cookie is always HttpOnly.',
  maxAge: 'The cookie lives as long as the session: set idleTimeout, and cookie.persistent.',
  expires: 'The cookie lives as long as the session: set idleTimeout, and cookie.persistent.',
  signed: 'The token needs no signature.',
}

/**
 * Checks the settings of the cookie and fills in what they leave out. The answer is frozen.
 *
 * Refused is what browsers would drop without a word: a prefix whose conditions do not hold (they
 * compare it without regard to case), `SameSite=None` or `Partitioned` without Secure; and whatever
 * would let a setting write further attributes.
 *
 * @throws {ConfigurationError} Says what to write instead.
 * @see https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-4.1.3
 * @example
 * ```ts
 * resolveCookie().name // '__Host-id'
 * resolveCookie({ domain: 'example.com' }).name // '__Secure-id'
 * ```
 */
export function resolveCookie(settings?: CookieSettings): ResolvedCookie {
  const options = cookieOption.read(settings === undefined ? {} : settings, 'cookie')
  const { development, domain, path } = options
  if (development && options.secure === true) {
    contradict(
      'development',
      'is for plain http, where a Secure cookie does not arrive. Leave one of them out.',
    )
  }
  const secure = options.secure ?? !development
  const name = options.name ?? defaultName(secure, domain, path) + suffixOf(development)
  const cookie: ResolvedCookie = { ...options, name, secure, httpOnly: true }
  refuseContradictions(cookie)
  return Object.freeze(cookie)
}

const cookieOption: Option<CookieOptions> = group(cookieOptions, { instead: INSTEAD })

function refuseContradictions(cookie: ResolvedCookie): void {
  const needsSecure = cookie.development ? 'leave out development: true' : 'leave out secure: false'
  if (cookie.sameSite === 'none' && !cookie.secure) {
    contradict(
      'sameSite',
      `'none' is dropped by browsers without Secure: ${needsSecure}, or write 'lax'.`,
    )
  }
  if (cookie.partitioned && !cookie.secure) {
    contradict('partitioned', `is dropped by browsers without Secure: ${needsSecure}.`)
  }
  // Browsers compare prefixes without regard to case.
  const name = cookie.name.toLowerCase()
  const prefix = ['__host-', '__secure-', '__http-'].find((known) => name.startsWith(known))
  if (prefix === undefined) return
  const label = cookie.name.slice(0, prefix.length)
  if (!cookie.secure) {
    contradict(
      'name',
      `with ${label} is dropped by browsers without Secure: ${needsSecure}, or the prefix.`,
    )
  }
  if (prefix === '__host-' && (cookie.domain !== null || cookie.path !== '/')) {
    const cause = cookie.domain !== null ? 'a domain' : 'a path other than /'
    contradict(
      'name',
      `with ${label} is dropped by browsers when it has ${cause}: write __Secure- instead.`,
    )
  }
}

function readDevelopment(value: unknown, path: string): boolean | string {
  // The text of an environment variable is not a name.
  if (typeof value === 'string' && ENVIRONMENT.test(value)) {
    throw new ConfigurationError(
      `${path} is '${value}', the name of an environment: any text turns it on. Write ${path}: process.env.NODE_ENV === 'development'.`,
    )
  }
  const isName = typeof value === 'string' && !/^(?:true|false|[01])$/i.test(value)
  return isName ? readName(value, path) : flag(false).read(value, path)
}

function suffixOf(development: boolean | string): string {
  return typeof development === 'string' ? `-${development}` : ''
}

function defaultName(secure: boolean, domain: string | null, path: string): string {
  if (!secure) return 'id'
  return domain === null && path === '/' ? '__Host-id' : '__Secure-id'
}

function readName(value: unknown, setting: string): string {
  const name = readText(value, setting)
  if (name.length <= LONGEST_NAME && TOKEN.test(name)) return name
  return refuse(setting, `1 to ${LONGEST_NAME} of letters, digits and !#$%&'*+-.^_\`|~`, name)
}

function readDomain(value: unknown, setting: string): string {
  const domain = readText(value, setting)
  if (HOST_NAME.test(domain)) return domain
  return refuse(
    setting,
    'a bare host name like example.com (punycode, no leading dot, no port), or left out',
    domain,
  )
}

function readPath(value: unknown, setting: string): string {
  const path = readText(value, setting)
  if (PATH.test(path)) return path
  return refuse(setting, 'a / and then printable ASCII without semicolons', path)
}

function readText(value: unknown, setting: string): string {
  return typeof value === 'string' ? value : refuse(setting, 'a string', value)
}

function contradict(key: keyof CookieSettings, problem: string): never {
  throw new ConfigurationError(`cookie.${key} ${problem}`)
}
