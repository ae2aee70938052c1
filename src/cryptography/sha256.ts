import * as crypto from 'node:crypto'

/**
 * SHA-256 over a text. `crypto.hash` does it in one call, but some runtimes that look like Node lack it. A digest that
 * comes as text and is read into Buffer's pool costs half of one that comes with memory of its own.
 */
export const sha256: (text: string) => Buffer =
  typeof crypto.hash === 'function'
    ? (text) => Buffer.from(crypto.hash('sha256', text, 'hex'), 'hex')
    : (text) => crypto.createHash('sha256').update(text).digest()
