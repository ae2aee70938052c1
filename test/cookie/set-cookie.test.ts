import fc from 'fast-check'
import { Cookie, CookieJar } from 'tough-cookie'
import { describe, expect, it } from 'vitest'
import { readCookie } from '../../src/cookie/cookie-header.ts'
import { type CookieSettings, resolveCookie } from '../../src/cookie/cookie-settings.ts'
import { clearCookieHeader, setCookieHeader } from '../../src/cookie/set-cookie.ts'
import { InvalidValueError } from '../../src/errors.ts'

const DAY = 86_400

describe('setCookieHeader', () => {
  it('writes the defaults', () => {
    expect(setCookieHeader(resolveCookie(), 'abc', null)).toBe(
      '__Host-id=abc; Path=/; HttpOnly; Secure; SameSite=Lax',
    )
  })

  it('writes every attribute that was set', () => {
    const settings: CookieSettings = {
      name: '__Secure-sid',
      domain: 'example.com',
      path: '/app',
      sameSite: 'none',
      partitioned: true,
      priority: 'high',
    }
    expect(new Set(setCookieHeader(resolveCookie(settings), 'abc', 60).split('; '))).toEqual(
      new Set([
        '__Secure-sid=abc',
        'Max-Age=60',
        'Domain=example.com',
        'Path=/app',
        'HttpOnly',
        'Secure',
        'Partitioned',
        'Priority=High',
        'SameSite=None',
      ]),
    )
  })

  it('is always HttpOnly', () => {
    for (const settings of [
      {},
      { development: true },
      { secure: false },
      { domain: 'example.com' },
    ]) {
      expect(setCookieHeader(resolveCookie(settings), 'abc', null)).toMatch(/; HttpOnly(;|$)/)
      expect(clearCookieHeader(resolveCookie(settings))).toMatch(/; HttpOnly(;|$)/)
    }
  })

  it.each([
    [3600, 3600],
    [3600.9, 3600],
    [0.4, 0],
    [-5, 0],
    [-Infinity, 0],
    [400 * DAY, 400 * DAY],
    [401 * DAY, 400 * DAY],
    [Infinity, 400 * DAY],
  ])('turns a lifetime of %d s into Max-Age=%d', (lifetime, maxAge) => {
    expect(setCookieHeader(resolveCookie(), 'abc', lifetime)).toContain(`; Max-Age=${maxAge};`)
  })

  it('refuses a lifetime that is not a number', () => {
    expect(() => setCookieHeader(resolveCookie(), 'abc', Number.NaN)).toThrow(InvalidValueError)
  })

  it('refuses a value that no cookie holds, and does not quote it', () => {
    const secret = 'hunter2'
    for (const bad of [
      ';',
      ',',
      ' ',
      '"',
      '\\',
      '\n',
      '\0',
      '\x7f',
      'ü',
      '\ud800',
      'x'.repeat(4096),
    ]) {
      expect(() => setCookieHeader(resolveCookie(), secret + bad, null)).toThrow(InvalidValueError)
      expect(() => setCookieHeader(resolveCookie(), secret + bad, null)).not.toThrow(secret)
    }
  })

  it('takes 4096 characters of name and value together, and no more', () => {
    const longest = 'x'.repeat(4096 - '__Host-id'.length)
    expect(setCookieHeader(resolveCookie(), longest, null)).toContain('x; Path')
    expect(() => setCookieHeader(resolveCookie(), `${longest}x`, null)).toThrow(InvalidValueError)
  })

  it('writes values that come back as they were, or refuses them', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii', maxLength: 100 }), (value) => {
        let header: string
        try {
          header = setCookieHeader(resolveCookie(), value, null)
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidValueError)
          return
        }
        const pair = header.slice(0, header.indexOf(';'))
        expect(readCookie(pair, '__Host-id')).toEqual([value])
      }),
    )
  })
})

describe.each<[string, CookieSettings, string, string[], string[]]>([
  [
    'the defaults',
    {},
    'https://app.example.com/x',
    [],
    ['http://app.example.com/', 'https://example.com/'],
  ],
  [
    'a domain',
    { domain: 'example.com' },
    'https://app.example.com/',
    ['https://example.com/', 'https://other.example.com/'],
    ['https://example.org/', 'http://example.com/'],
  ],
  [
    'a path',
    { path: '/app' },
    'https://example.com/app/x',
    ['https://example.com/app'],
    ['https://example.com/'],
  ],
  [
    'development',
    { development: true },
    'http://localhost:3000/',
    ['http://localhost/'],
    ['http://example.com/'],
  ],
  [
    'other attributes',
    { sameSite: 'none', partitioned: true, priority: 'low' },
    'https://example.com/',
    [],
    [],
  ],
])('a cookie with %s, in a real jar', (_, settings, url, alsoSentTo, notSentTo) => {
  const cookie = resolveCookie(settings)

  it('is kept, sent where it should be, replaced and cleared', async () => {
    const jar = new CookieJar(undefined, { prefixSecurity: 'strict' })
    await jar.setCookie(setCookieHeader(cookie, 'first', null), url)
    await jar.setCookie(setCookieHeader(cookie, 'second', 3600), url)
    for (const target of [url, ...alsoSentTo]) {
      const header = await jar.getCookieString(target)
      expect(header).toBe(`${cookie.name}=second`)
      expect(readCookie(header, cookie.name)).toEqual(['second'])
    }
    for (const target of notSentTo) expect(await jar.getCookieString(target)).toBe('')
    expect(await jar.getCookieString(url, { http: false })).toBe('')

    await jar.setCookie(clearCookieHeader(cookie), url)
    for (const target of [url, ...alsoSentTo]) expect(await jar.getCookieString(target)).toBe('')
  })

  it('lives for the browser session, or for its Max-Age', () => {
    expect(Cookie.parse(setCookieHeader(cookie, 'abc', null))?.isPersistent()).toBe(false)
    expect(Cookie.parse(setCookieHeader(cookie, 'abc', 60))?.maxAge).toBe(60)
  })

  it('is cleared for clients that know only Expires, too', () => {
    const cleared = Cookie.parse(clearCookieHeader(cookie))
    expect(cleared?.maxAge).toBe(0)
    expect(cleared?.expires).toEqual(new Date(0))
    expect(cleared?.value).toBe('')
  })
})

it('a jar that knows prefixes refuses the cookies whose settings we refuse', async () => {
  const jar = new CookieJar(undefined, { prefixSecurity: 'strict' })
  const url = 'https://example.com/app'
  for (const header of [
    '__Host-id=abc; Path=/; HttpOnly',
    '__Host-id=abc; Path=/app; Secure',
    '__Host-id=abc; Path=/; Secure; Domain=example.com',
    '__Secure-id=abc; Path=/',
  ]) {
    await expect(jar.setCookie(header, url)).rejects.toThrow(/prefix/)
  }
})
