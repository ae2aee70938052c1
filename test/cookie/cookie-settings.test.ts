import { describe, expect, it } from 'vitest'
import { type CookieSettings, resolveCookie } from '../../src/cookie/cookie-settings.ts'
import { ConfigurationError } from '../../src/errors.ts'

function refusal(settings: unknown): string {
  try {
    resolveCookie(settings as CookieSettings)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError)
    return (error as ConfigurationError).message
  }
  return 'accepted'
}

describe('resolveCookie', () => {
  it('is as strict as browsers can be when nothing is set', () => {
    const cookie = resolveCookie()
    expect(cookie).toEqual({
      name: '__Host-id',
      domain: null,
      path: '/',
      sameSite: 'lax',
      httpOnly: true,
      secure: true,
      partitioned: false,
      priority: null,
      persistent: false,
      duplicates: 'reject',
      development: false,
    })
    expect(Object.isFrozen(cookie)).toBe(true)
    expect(resolveCookie({})).toEqual(cookie)
  })

  it('keeps the strongest prefix that the other settings allow', () => {
    expect(resolveCookie({ domain: 'example.com' }).name).toBe('__Secure-id')
    expect(resolveCookie({ path: '/app' }).name).toBe('__Secure-id')
    expect(resolveCookie({ path: '/' }).name).toBe('__Host-id')
    expect(resolveCookie({ secure: false }).name).toBe('id')
    expect(resolveCookie({ sameSite: 'none', partitioned: true }).name).toBe('__Host-id')
  })

  it('names the cookie of an application in development, so that those on other ports keep theirs', () => {
    const { name, secure } = resolveCookie({ development: 'shop' })
    expect([name, secure]).toEqual(['id-shop', false])
    expect(resolveCookie({ development: 'shop', name: 'mine' }).name).toBe('mine')
    expect(() => resolveCookie({ development: 'my shop' })).toThrow(/cookie.development/)
    expect(() => resolveCookie({ development: '' })).toThrow(/cookie.development/)
  })

  it('sets a plain cookie without Secure in development', () => {
    const cookie = resolveCookie({ development: true })
    expect(cookie).toMatchObject({ name: 'id', secure: false, httpOnly: true, sameSite: 'lax' })
    expect(resolveCookie({ development: true, secure: false })).toEqual(cookie)
    expect(resolveCookie({ development: false })).toEqual(resolveCookie())
  })

  it('takes every setting', () => {
    const settings: CookieSettings = {
      name: "__Secure-Http!#$%&'*+.^_`|~9",
      domain: 'app.xn--bcher-kva.example',
      path: '/a b/c%20',
      sameSite: 'none',
      secure: true,
      partitioned: true,
      priority: 'high',
      persistent: true,
      duplicates: 'reject',
      development: false,
    }
    expect(resolveCookie(settings)).toEqual({ ...settings, httpOnly: true })
    expect(resolveCookie({ name: 'n'.repeat(64) }).name).toHaveLength(64)
  })

  it.each<[string, CookieSettings, RegExp]>([
    ['__Host- with a domain', { name: '__Host-a', domain: 'example.com' }, /domain.*__Secure-/],
    ['__Host- with a path', { name: '__Host-a', path: '/app' }, /path.*__Secure-/],
    ['__Host- without Secure', { name: '__Host-a', secure: false }, /leave out secure: false/],
    ['__Host- in development', { name: '__Host-a', development: true }, /leave out development/],
    ['__Secure- without Secure', { name: '__Secure-a', secure: false }, /leave out secure: false/],
    ['__HOST- in other letters', { name: '__hOsT-a', domain: 'example.com' }, /with __hOsT- is/],
    ['__SECURE- in other letters', { name: '__SECURE-a', secure: false }, /with __SECURE- is/],
    ['__Http- without Secure', { name: '__Http-a', secure: false }, /Secure/],
    ['SameSite=None without Secure', { sameSite: 'none', secure: false }, /write 'lax'/],
    ['SameSite=None in development', { sameSite: 'none', development: true }, /out development/],
    ['Partitioned without Secure', { partitioned: true, secure: false }, /secure: false/],
    ['Partitioned in development', { partitioned: true, development: true }, /development/],
    ['Secure in development', { secure: true, development: true }, /one of them/],
  ])('refuses %s, which browsers would drop, and says what to write', (_, settings, message) => {
    expect(refusal(settings)).toMatch(message)
  })

  it.each([
    '',
    ' ',
    'a b',
    'a=b',
    'a;b',
    'a,b',
    '"a"',
    'a\tb',
    'a\r\nb',
    'a\0',
    'ä',
    'a/b',
    'a'.repeat(65),
  ])('refuses %j for a name, which is not a token of RFC 6265 (A-38)', (name) => {
    expect(refusal({ name })).toMatch(/^cookie\.name must be/)
  })

  it.each([
    '',
    '.example.com',
    'example.com;',
    'a.b; Path=/x',
    'a\r\nb',
    'a\0b',
    'bücher.example',
    'a..b',
    'a.',
    '-a',
    'a-',
    'https://example.com',
    'example.com:443',
    'a b',
    '[::1]',
    `${'a'.repeat(64)}.b`,
    `${'a.'.repeat(127)}b`,
  ])('refuses %j for a domain (A-38)', (domain) => {
    expect(refusal({ domain })).toMatch(/^cookie\.domain must be .*example\.com/)
  })

  it.each([
    '',
    'app',
    '/a;b',
    '/a\r\nSet-Cookie: x',
    '/a\0',
    '/a\x7f',
    '/ä',
    '/\xff',
    `/${'a'.repeat(1024)}`,
  ])('refuses %j for a path (A-38)', (path) => {
    expect(refusal({ path })).toMatch(/^cookie\.path must be/)
  })

  it.each<[unknown]>([
    [null],
    [[]],
    ['id'],
    [{ sameSite: 'Lax' }],
    [{ sameSite: true }],
    [{ sameSite: 'lax; x' }],
    [{ priority: 'urgent' }],
    [{ secure: 'false' }],
    [{ secure: 0 }],
    [{ secure: null }],
    [{ partitioned: 1 }],
    [{ persistent: 'yes' }],
    [{ development: 'true' }],
    [{ name: 7 }],
    [{ domain: null }],
    [{ path: {} }],
  ])('refuses %j, which is of the wrong kind', (settings) => {
    expect(refusal(settings)).toMatch(/^cookie(\.\w+)? must be/)
  })

  it('refuses settings that it does not know, so that no typing error goes unseen', () => {
    expect(refusal({ samesite: 'strict' })).toMatch(
      /^cookie has no option "samesite"\. Did you mean sameSite\?$/,
    )
    expect(refusal({ httpOnly: false })).toMatch(/always HttpOnly/)
    expect(refusal({ maxAge: 3600 })).toMatch(/idleTimeout/)
    expect(refusal({ constructor: 1 })).toMatch(/Its options are .*name/)
    expect(refusal(JSON.parse('{"__proto__":1}'))).toMatch(/has no option/)
  })

  it('quotes what was set escaped and in part, so that it cannot forge lines of a log', () => {
    expect(refusal({ path: `/\n${'x'.repeat(5000)}` })).toMatch(/^[^\n]{1,200}$/)
    expect(refusal({ [`x\n${'x'.repeat(5000)}`]: 1 })).toMatch(/^[^\n]{1,200}$/)
  })
})
