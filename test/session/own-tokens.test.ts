import { createHash, randomBytes, randomUUID } from 'node:crypto'
import {
  ConfigurationError,
  createSessions,
  defaultSettings,
  type IssuedToken,
  MemoryStore,
  randomToken,
  type TokenFormat,
} from 'pg-sessions'
import { expect, it } from 'vitest'
import { eachStore } from '../support/each-store.ts'

/** Tokens of another form: the id in plain text, a dot, and a secret in hex. */
const dotted: TokenFormat = {
  issue: () => dotted.reissue(randomUUID()),
  reissue(id): IssuedToken {
    const secret = randomBytes(16).toString('hex')
    return { id, token: `${id}.${secret}`, secretHash: hash(secret) }
  },
  read(token) {
    const [id, secret, ...rest] = token.split('.')
    if (id?.length !== 36 || secret?.length !== 32 || rest.length > 0) return null
    return { id, secretHashes: [hash(secret)] }
  },
}

function hash(secret: string): Uint8Array {
  return createHash('sha256').update(secret).digest()
}

eachStore((open) => {
  it('tokens of another form are issued, read and rotated', async () => {
    const { visitor } = await open({ tokens: dotted })
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    expect(ann.token).toMatch(/^[0-9a-f-]{36}\.[0-9a-f]{32}$/)
    const before = ann.token
    await ann.visit((session) => session.rotate())
    expect(ann.token).not.toBe(before)
    expect(ann.token?.slice(0, 36), 'a rotated session keeps its id').toBe(before?.slice(0, 36))
    expect(await ann.visit((session) => session.get('a'))).toBe(1)
    const stale = visitor()
    stale.token = before ?? null
    expect(await stale.visit((session) => session.get('a'))).toBeUndefined()
  })
})

it('settings of the default tokens are refused beside others, unless they are the defaults', () => {
  const create = (more: object) => () =>
    createSessions({ store: new MemoryStore(), log: false, tokens: dotted, ...more })
  expect(create({ generateSecret: () => randomToken(32) })).toThrow(ConfigurationError)
  expect(create({ pepper: 'x'.repeat(32) })).toThrow('or leave out tokens')
  expect(create(defaultSettings)).not.toThrow()
})
