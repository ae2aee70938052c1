import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { bytesNeedle, find, secretNeedle, textNeedle } from './needles.ts'

const secret = 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQ'
const bytes = Buffer.from(secret, 'base64url')

test.each([
  ['the text', `"${secret}"`],
  ['the bytes', Buffer.concat([Buffer.alloc(9), bytes, Buffer.alloc(9)])],
  ['bytea of the text', `\\x${Buffer.from(secret).toString('hex')}`],
  ['bytea of the bytes', `\\x${bytes.toString('hex')}`],
  ['capital digits', bytes.toString('hex').toUpperCase()],
  ['base64 of the text', Buffer.from(secret).toString('base64')],
  ['an inspected buffer', inspect(bytes)],
  ['an inspected typed array', inspect(new Uint8Array(bytes))],
  ['a buffer as JSON', JSON.stringify(bytes)],
  ['a typed array as JSON', JSON.stringify([...bytes])],
])('a secret is found in %s', (_, haystack) => {
  expect(find([secretNeedle('it', secret)], haystack)).toEqual(['it'])
})

test('nothing is found where nothing is', () => {
  const needles = [textNeedle('text', 'apple'), bytesNeedle('bytes', bytes)]
  expect(find(needles, 'a pear and a plum')).toEqual([])
})
