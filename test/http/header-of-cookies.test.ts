import { expect, test } from 'vitest'
import { headerOfCookies } from '../../src/http/header-of-cookies.ts'

const cookie = (name: string, value: string) => ({ name, value })

test.each([
  ['as they are shown, where the header is not known', [['a', '1']], null, 'a=1'],
  ['all of one name, in their order', [['a', '2']], 'a=1; b=0; a=2', 'a=1; a=2'],
  ['the one that this request has set, in place of those sent', [['a', '3']], 'a=1; a=2', 'a=3'],
  ['none that this request has taken away', [], 'a=1; a=2', ''],
  ['all as they were sent', [['a', 'x y']], 'a=1; a=x%20y; a=%', 'a=1; a=x%20y; a=%'],
  [
    'one beside a planted value that no header could hold',
    [['a', '1;b']],
    'a=2; a=1%3Bb',
    'a=2; a=1%3Bb',
  ],
  ['no cookie in the value of another', [['a', '1; b=2']], null, ''],
  [
    'a name like any other',
    [['__proto__', '1']],
    '__proto__=0; __proto__=1',
    '__proto__=0; __proto__=1',
  ],
] as const)('gives %s', (_, shown, sent, expected) => {
  const cookies = shown.map(([name, value]) => cookie(name, value))
  expect(headerOfCookies(cookies, sent)).toBe(expected)
})
