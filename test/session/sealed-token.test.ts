import { expect, test } from 'vitest'
import { openSealedToken, sealToken } from '../../src/session/sealed-token.ts'

const [token, predecessor] = ['the token that follows', 'the token before']

test('a sealed token opens to the token before, and to no other', () => {
  const sealed = sealToken(token, predecessor)
  expect(openSealedToken(sealed, predecessor)).toBe(token)
  expect(openSealedToken(sealed, `${predecessor} `)).toBeNull()
  expect(openSealedToken(sealed, token)).toBeNull()
})

test('a sealed token that was changed, cut off or extended anywhere opens to no token', () => {
  const sealed = sealToken(token, predecessor)
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Uint8Array.from(sealed)
    changed[at] = (changed[at] as number) ^ 1
    expect(openSealedToken(changed, predecessor), `byte ${at}`).toBeNull()
    expect(openSealedToken(sealed.subarray(0, at), predecessor), `${at} bytes`).toBeNull()
  }
  expect(openSealedToken(Uint8Array.from([...sealed, 0]), predecessor)).toBeNull()
})

test('the same token is never sealed in the same way', () => {
  const sealed = Array.from({ length: 100 }, () => sealToken(token, predecessor))
  expect(new Set(sealed.map((it) => Buffer.from(it).toString('hex'))).size).toBe(100)
  for (const it of sealed) expect(Buffer.from(it).includes(token)).toBe(false)
})
