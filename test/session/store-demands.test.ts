import { createHash } from 'node:crypto'
import {
  createSessions,
  type IssuedToken,
  jsonCodec,
  MemoryStore,
  randomToken,
  type TokenFormat,
} from 'pg-sessions'
import type { NewSession, SessionChange, SessionStore } from 'pg-sessions/store'
import { describe, expect, it } from 'vitest'
import { Visitor } from '../support/each-store-visitor.ts'

/** What a store may ask of sessions: settings, ids and marks of its own, and a rotation. */

const HOUR = 3_600_000

describe('a store that insists on settings', () => {
  const store = Object.assign(new MemoryStore(), {
    requiredSettings: { idleTimeout: HOUR, absoluteTimeout: Infinity, renewInterval: Infinity },
  })
  const create = (settings: object) => () => createSessions({ store, log: false, ...settings })
  const right = { idleTimeout: '1h', absoluteTimeout: 'none' } as const

  it('gets them, or the sessions are refused with the words to write', () => {
    expect(create(right)).not.toThrow()
    expect(create({ ...right, idleTimeout: '60m' })).not.toThrow()
    expect(create({ ...right, idleTimeout: '2h' })).toThrow(
      "The store 'memory' works with idleTimeout: '1h' only.",
    )
    expect(create({ idleTimeout: '1h' })).toThrow("absoluteTimeout: 'none'")
    expect(create({ ...right, renewInterval: '30m' })).toThrow("renewInterval: 'never'")
  })
})

describe('a store of records that another system reads', () => {
  const store = Object.assign(new MemoryStore(), { needs: ['codec', 'tokens'] as const })
  const right = { store, codec: jsonCodec, tokens: nameless, log: false } as const

  it.each(['codec', 'tokens', 'cookie', 'touchInterval'])(
    'is refused where %s was overwritten by undefined',
    (setting) => {
      expect(() => createSessions(right)).not.toThrow()
      expect(() => createSessions({ ...right, [setting]: undefined })).toThrow(
        `${setting} is undefined, and the store 'memory' works with that of another system`,
      )
    },
  )

  it('is refused without codec and tokens', () => {
    expect(() => createSessions({ store, log: false })).toThrow('codec is undefined')
  })
})

/** Gives its sessions numbers, marks them with their token, and has one rotated on demand. */
class NumberingStore extends MemoryStore {
  readonly changes: SessionChange[] = []
  isRotationDue = false

  override async create(session: NewSession): ReturnType<MemoryStore['create']> {
    const result = await super.create({ ...session, id: '7' })
    return result.status === 'created' ? { ...result, id: '7', version: 'new' } : result
  }

  override async load(proof: Parameters<MemoryStore['load']>[0]): ReturnType<MemoryStore['load']> {
    const result = await super.load({ ...proof, id: '7' })
    if (result.status !== 'live') return result
    const { isRotationDue } = this
    return { status: 'live', record: { ...result.record, version: 'loaded', isRotationDue } }
  }

  override async save(change: SessionChange): ReturnType<SessionStore['save']> {
    this.changes.push(change)
    const result = await super.save({ ...change, version: undefined })
    if (result.status === 'gone') return result
    if (result.rotated) this.isRotationDue = false
    return { ...result, version: 'saved' }
  }
}

/** Tokens that do not name their session. */
const nameless: TokenFormat = {
  issue: () => nameless.reissue(''),
  reissue(id): IssuedToken {
    const token = randomToken(24)
    return { id, token, secretHash: hash(token) }
  },
  read: (token) => ({ id: '', secretHashes: [hash(token)] }),
}

function hash(token: string): Uint8Array {
  return createHash('sha256').update(token).digest()
}

describe('a store with ids and marks of its own', () => {
  it('has the session known by the id that it gave', async () => {
    const sessions = createSessions({ store: new NumberingStore(), tokens: nameless, log: false })
    const created: string[] = []
    sessions.on('created', ({ sessionId }) => created.push(sessionId))
    const ann = new Visitor(sessions)
    const id = await ann.visit(async (session) => {
      session.set('a', 1)
      await session.save()
      return session.id
    })
    expect(id).toBe('7')
    expect(created).toEqual(['7'])
    expect(await sessions.destroyById('7')).toBe(true)
  })

  it('gets the version back that it gave last', async () => {
    const store = new NumberingStore()
    const ann = new Visitor(createSessions({ store, tokens: nameless, log: false }))
    await ann.visit(async (session) => {
      session.set('a', 1)
      await session.save()
      session.set('a', 2)
      await session.save()
      session.set('a', 3)
    })
    await ann.visit((session) => session.set('a', 4))
    expect(store.changes.map(({ version }) => version)).toEqual(['new', 'saved', 'loaded'])
  })

  it('has a token replaced for good with the next response, changed or not', async () => {
    for (const change of [false, true]) {
      const store = new NumberingStore()
      const ann = new Visitor(createSessions({ store, tokens: nameless, log: false }))
      await ann.visit((session) => session.set('a', 1))
      const thief = ann.twin()
      store.isRotationDue = true
      await ann.visit(async (session) => {
        expect(await session.get('a')).toBe(1)
        if (!change) return
        session.set('a', 2)
        await session.save()
        session.set('a', 3)
      })
      expect(ann.token).not.toBe(thief.token)
      expect(await thief.visit((session) => session.get('a')), 'no grace').toBeUndefined()
      expect(await ann.visit((session) => session.get('a'))).toBe(change ? 3 : 1)
      expect(store.changes.filter(({ credentials }) => credentials?.token)).toHaveLength(1)
    }
  })
})
