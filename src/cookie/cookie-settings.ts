/** What may be set about the cookie, and what may not. */

import { ConfigurationError } from '../errors.ts'

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
  /** Send the cookie only to paths below this one. Defaults to `/`. It is no security boundary. */
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
   * What to make of a request that carries several such cookies with different values. Defaults to
   * `refuse`: whoever can plant one can also put it first. `first` is for a cookie that is shared with a
   * system which takes the first, so that both mean the same session.
   */
  readonly duplicates?: 'reject' | 'first'
  /** For plain http on localhost: no Secure, and a name without a prefix. Defaults to `false`. */
  readonly development?: boolean
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
  readonly development: boolean
}

const SAME_SITES = ['lax', 'strict', 'none'] as const
const CHOICES = ['reject', 'first'] as const
const PRIORITIES = ['low', 'medium', 'high'] as const
const LONGEST_NAME = 64

/** RFC 6265 section 4.1.1 takes the token of RFC 2616. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** Labels of letters, digits and inner hyphens. */
const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i
/** `path-value` of RFC 6265: printable ASCII without the semicolon; browsers drop what is longer. */
const PATH = /^\/[\x20-\x3a\x3c-\x7e]{0,1023}$/

const KNOWN: Readonly<Record<keyof Required<CookieSettings>, true>> = {
  name: true,
  domain: true,
  path: true,
  sameSite: true,
  secure: true,
  partitioned: true,
  priority: true,
  persistent: true,
  duplicates: true,
  development: true,
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
export function resolveCookie(settings: CookieSettings = {}): ResolvedCookie {
  refuseUnknown(settings)
  const development = flag(settings, 'development', false)
  if (development && settings.secure === true) {
    refuse(
      'development',
      'is for plain http, where a Secure cookie does not arrive. Leave one of them out.',
    )
  }
  const secure = flag(settings, 'secure', !development)
  const domain = domainOf(settings)
  const path = pathOf(settings)
  const cookie: ResolvedCookie = {
    name: nameOf(settings, defaultName(secure, domain, path)),
    domain,
    path,
    sameSite: oneOf(settings, 'sameSite', SAME_SITES) ?? 'lax',
    httpOnly: true,
    secure,
    partitioned: flag(settings, 'partitioned', false),
    priority: oneOf(settings, 'priority', PRIORITIES) ?? null,
    persistent: flag(settings, 'persistent', false),
    duplicates: oneOf(settings, 'duplicates', CHOICES) ?? 'reject',
    development,
  }
  refuseContradictions(cookie)
  return Object.freeze(cookie)
}

function refuseUnknown(settings: CookieSettings): void {
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) {
    throw new ConfigurationError('cookie must be an object, like { sameSite: "strict" }.')
  }
  for (const key of Object.keys(settings)) {
    if (Object.hasOwn(KNOWN, key)) continue
    const instead = Object.hasOwn(INSTEAD, key)
      ? INSTEAD[key]
      : `Write one of ${Object.keys(KNOWN).join(', ')}.`
    throw new ConfigurationError(`There is no setting cookie[${shown(key)}]. ${instead}`)
  }
}

function refuseContradictions(cookie: ResolvedCookie): void {
  const needsSecure = cookie.development ? 'leave out development: true' : 'leave out secure: false'
  if (cookie.sameSite === 'none' && !cookie.secure) {
    refuse(
      'sameSite',
      `'none' is dropped by browsers without Secure: ${needsSecure}, or write 'lax'.`,
    )
  }
  if (cookie.partitioned && !cookie.secure) {
    refuse('partitioned', `is dropped by browsers without Secure: ${needsSecure}.`)
  }
  // Browsers compare prefixes without regard to case.
  const name = cookie.name.toLowerCase()
  const prefix = ['__host-', '__secure-', '__http-'].find((known) => name.startsWith(known))
  if (prefix === undefined) return
  const label = cookie.name.slice(0, prefix.length)
  if (!cookie.secure) {
    refuse(
      'name',
      `with ${label} is dropped by browsers without Secure: ${needsSecure}, or the prefix.`,
    )
  }
  if (prefix === '__host-' && (cookie.domain !== null || cookie.path !== '/')) {
    const cause = cookie.domain !== null ? 'a domain' : 'another path than /'
    refuse(
      'name',
      `with ${label} is dropped by browsers when it has ${cause}: write __Secure- instead.`,
    )
  }
}

function defaultName(secure: boolean, domain: string | null, path: string): string {
  if (!secure) return 'id'
  return domain === null && path === '/' ? '__Host-id' : '__Secure-id'
}

function nameOf(settings: CookieSettings, otherwise: string): string {
  const name = text(settings, 'name') ?? otherwise
  if (name.length > LONGEST_NAME || !TOKEN.test(name)) {
    const allowed = "letters, digits and !#$%&'*+-.^_`|~"
    refuse('name', `is ${shown(name)}; write 1 to ${LONGEST_NAME} of ${allowed}.`)
  }
  return name
}

function domainOf(settings: CookieSettings): string | null {
  const domain = text(settings, 'domain') ?? null
  if (domain === null || HOST_NAME.test(domain)) return domain
  return refuse(
    'domain',
    `is ${shown(domain)}; write a bare host name like example.com (punycode, no leading dot, no port), or leave it out.`,
  )
}

function pathOf(settings: CookieSettings): string {
  const path = text(settings, 'path') ?? '/'
  if (PATH.test(path)) return path
  return refuse('path', `is ${shown(path)}; write a / and then printable ASCII without semicolons.`)
}

function text(settings: CookieSettings, key: 'name' | 'domain' | 'path'): string | undefined {
  const value: unknown = settings[key]
  if (value === undefined || typeof value === 'string') return value
  return refuse(key, 'must be a string.')
}

function flag(
  settings: CookieSettings,
  key: 'secure' | 'partitioned' | 'persistent' | 'development',
  otherwise: boolean,
): boolean {
  const value: unknown = settings[key]
  if (value === undefined) return otherwise
  return typeof value === 'boolean' ? value : refuse(key, 'must be true or false.')
}

function oneOf<Choice extends string>(
  settings: CookieSettings,
  key: 'sameSite' | 'priority' | 'duplicates',
  choices: readonly Choice[],
): Choice | undefined {
  const value: unknown = settings[key]
  if (value === undefined) return undefined
  const choice = choices.find((known) => known === value)
  return choice ?? refuse(key, `must be one of '${choices.join("', '")}'.`)
}

function refuse(key: keyof CookieSettings, problem: string): never {
  throw new ConfigurationError(`cookie.${key} ${problem}`)
}

function shown(setting: string): string {
  return JSON.stringify(setting.length > 40 ? `${setting.slice(0, 40)}…` : setting)
}
