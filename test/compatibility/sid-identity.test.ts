import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { plainTokens, sidIdentity } from '../../src/compatibility/by-sid/sid-identity.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

it('a sid that reads as a native token is that session', () => {
  const { id, token, secretHash } = plainTokens.issue()
  expect(sidIdentity(token)).toEqual({ id, secretHash, proof: { id, secretHashes: [secretHash] } })
})

it('any other sid has an id from its own hash, and the hash of the whole is stored', () => {
  const { id, secretHash, proof } = sidIdentity('abc')
  expect(id, 'pinned: every release must find what another stored').toBe(
    'b2749fbf-d384-8027-8e34-cfb3f8efd94e',
  )
  expect(hex(secretHash)).toBe(sha256('abc'))
  expect(proof).toEqual({ id, secretHashes: [secretHash] })
})

it('the id is not part of what is stored of the sid, and a UUID of version 8', () => {
  for (const sid of [
    '',
    'abc',
    'x'.repeat(300),
    'é\0"; drop',
    plainTokens.issue().token.slice(1),
  ]) {
    const { id, secretHash } = sidIdentity(sid)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(hex(secretHash)).not.toContain(id.slice(0, 8))
  }
})

it('the sids that express-session, @fastify/session and koa-session make are not native tokens', () => {
  const sids = [
    'bGmVjGn2VHsxfPZ6MHLDAU3Qo0SJd9Cr',
    '5a4b6f3e-6f0c-4d8a-9f57-0b1f2b1f7c11',
    'A'.repeat(32),
    'f'.repeat(64),
  ]
  for (const sid of sids) expect(plainTokens.read(sid)).toBeNull()
})
