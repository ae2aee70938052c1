/** The functions of `node:crypto` that sessions call, for a browser: by its own random numbers, and @noble/hashes. */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { Buffer } from 'buffer'

type Input = string | Uint8Array

interface Digester {
  update(input: Input): Digester
  digest(): Buffer
  digest(encoding: 'hex' | 'base64'): string
}

export function createHash(algorithm: string): Digester {
  return digester(algorithm, sha256.create())
}

export function createHmac(algorithm: string, key: Input): Digester {
  return digester(algorithm, hmac.create(sha256, bytesOf(key)))
}

function digester(
  algorithm: string,
  state: { update(input: Uint8Array): unknown; digest(): Uint8Array },
): Digester {
  if (algorithm !== 'sha256') throw new Error(`This page has no ${algorithm}.`)
  const digester: Digester = {
    update(input) {
      state.update(bytesOf(input))
      return digester
    },
    digest(encoding?: 'hex' | 'base64'): never {
      const digest = Buffer.from(state.digest())
      return (encoding === undefined ? digest : digest.toString(encoding)) as never
    },
  }
  return digester
}

function bytesOf(input: Input): Uint8Array {
  return typeof input === 'string' ? new TextEncoder().encode(input) : input
}

export function randomBytes(size: number): Buffer {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(size)))
}

export function randomUUID(): string {
  return crypto.randomUUID()
}

export function timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.byteLength !== b.byteLength) throw new RangeError('Both must have the same length.')
  return a.reduce((difference, byte, index) => difference | (byte ^ (b[index] as number)), 0) === 0
}

function missing(): never {
  throw new Error('This page does not encrypt values; on Node, `seal` does.')
}

/** Sessions do without them where they are missing. */
export const hash = undefined
export const subtle = undefined

export { missing as createCipheriv, missing as createDecipheriv, missing as createSecretKey }
