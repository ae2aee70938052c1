import { createHash, createHmac } from 'node:crypto'
import { ConfigurationError, createSessions, MemoryStore, randomToken } from 'pg-sessions'
import { describe, expect, it } from 'vitest'
import { eachStore } from '../support/each-store.ts'
import { Visitor } from '../support/each-store-visitor.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** The other letters that a lenient base64 decoder takes for the same last bits. */
function aliases(letter: string, unusedBits: number): string[] {
  const index = ALPHABET.indexOf(letter)
  const first = (index >> unusedBits) << unusedBits
  return Array.from({ length: 2 ** unusedBits }, (_, n) => ALPHABET.charAt(first + n)).filter(
    (other) => other !== letter,
  )
}

eachStore((open) => {
  it('a token is the id and 24 random bytes, in 54 letters of base64url', async () => {
    const { visitor } = await open()
    const [ann, bob] = [visitor(), visitor()]
    await ann.visit((session) => session.set('a', 1))
    await bob.visit((session) => session.set('a', 1))
    expect(ann.token).toMatch(/^[\w-]{54}$/)
    expect(ann.token).not.toBe(bob.token)
    const id = await ann.visit(async (session) => session.load().then(() => session.id))
    expect(Buffer.from(String(ann.token?.slice(0, 22)), 'base64url').toString('hex')).toBe(
      id?.replaceAll('-', ''),
    )
  })

  it('anything but one exact spelling is refused without asking the store', async () => {
    const { visitor, watched, events } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    const token = String(ann.token)
    const [id, secret] = [token.slice(0, 22), token.slice(22)]
    const spellings = [
      ...aliases(String(id.at(-1)), 4).map((last) => id.slice(0, 21) + last + secret),
      ...Array.from({ length: 54 }, (_, length) => token.slice(0, length)),
      token.slice(1),
      `${id}=${secret}`,
      `${token}=`,
      `${token}%3D`,
      `"${token}"`,
      `${token}.`,
      `${id}${'A'.repeat(257)}`,
      `${id}${'+'.repeat(32)}`,
      `${id}${'/'.repeat(32)}`,
      `${'!'.repeat(22)}${secret}`,
      `${id}${secret.slice(0, 31)}\u00e9`,
      'x'.repeat(10_000),
      "' or 1=1 --",
      '../../etc/passwd',
      '{{7*7}}',
      '0',
      'null',
    ]
    watched.calls.length = 0
    events.length = 0
    for (const spelling of spellings) {
      await visitor(spelling).visit(async (session) => {
        await session.load()
        expect(session.id, spelling).toBeNull()
        expect(await session.get('a'), spelling).toBeUndefined()
      })
    }
    expect(watched.calls).toEqual([])
    expect(events).toEqual(spellings.map(() => ['tokenRefused', { reason: 'malformed' }]))
  })

  it('a token with one letter changed, wherever, or with more letters, opens nothing', async () => {
    const { visitor } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    const token = String(ann.token)
    const forged = Array.from(token, (letter, index) => {
      const other = ALPHABET.charAt((ALPHABET.indexOf(letter) + 16) % 64)
      return token.slice(0, index) + other + token.slice(index + 1)
    })
    forged.push(`${token}A`, `${token}${token}`, token.toLowerCase(), token.toUpperCase())
    await Promise.all(
      forged.map(async (it) => {
        expect(await visitor(it).visit((session) => session.get('a')), it).toBeUndefined()
      }),
    )
    expect(await ann.visit((session) => session.get('a'))).toBe(1)
  })

  it('nothing that a store holds is a token, however it is spelt', async () => {
    const { visitor, watched } = await open()
    const ann = visitor()
    await ann.visit((session) => session.signIn('ann'))
    const token = String(ann.token)
    const [idPart, secret] = [token.slice(0, 22), token.slice(22)]
    const id = String(await ann.visit(async (session) => session.load().then(() => session.id)))
    const hash = createHash('sha256').update(secret).digest()
    const proof = await watched.store.load({ id, secretHashes: [hash] })
    expect(proof.status, 'the digest of the secret is what the store knows').toBe('live')
    const spellings = (['hex', 'base64', 'base64url', 'latin1'] as const).map((as) =>
      hash.toString(as),
    )
    for (const replayed of [
      id,
      id.replaceAll('-', ''),
      idPart,
      ...spellings,
      ...spellings.map((it) => idPart + it),
      ...spellings.map((it) => id + it),
    ]) {
      await visitor(replayed).visit(async (session) => {
        await session.load()
        expect(session.userId, replayed).toBeNull()
      })
    }
  })

  it('two live tokens under its name are ambiguous, and neither counts', async () => {
    const { visitor, sessions, watched, events } = await open()
    const [ann, bob] = [visitor(), visitor()]
    await ann.visit((session) => session.set('who', 'ann'))
    await bob.visit((session) => session.set('who', 'bob'))
    watched.calls.length = 0
    events.length = 0
    const header = `__Host-id=${ann.token}; __Host-id=${bob.token}`
    expect(await sessions.open(header).session.get('who')).toBeUndefined()
    expect(watched.calls).toEqual(['load', 'load'])
    expect(events).toEqual([['tokenRefused', { reason: 'ambiguous' }]])
    const twice = `__Host-id=${ann.token}; __Host-id=${ann.token}`
    expect(await sessions.open(twice).session.get('who')).toBe('ann')
  })

  it('values that are not a token are passed over beside one, and cost nothing', async () => {
    const { visitor, sessions, watched, events } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('who', 'ann'))
    watched.calls.length = 0
    events.length = 0
    for (const header of [
      `__Host-id=eyJ0aGVpcnMiOjF9; __Host-id=${ann.token}`,
      `__Host-id=${ann.token}; __Host-id=; __Host-id=theirs`,
    ]) {
      expect(await sessions.open(header).session.get('who')).toBe('ann')
    }
    expect(watched.calls).toEqual(['load', 'load'])
    expect(events).toEqual([])
  })

  it('of several tokens the one that lives counts, and goes on working after a sign-in', async () => {
    const { visitor, sessions } = await open()
    const [ann, gone] = [visitor(), visitor()]
    await gone.visit((session) => session.set('who', 'gone'))
    const stale = gone.token
    await gone.visit((session) => session.destroy())
    await ann.visit((session) => session.set('who', 'ann'))
    const before = ann.token
    await ann.visit((session) => session.signIn('ann'))
    for (const twin of [stale, before]) {
      for (const pair of [
        [twin, ann.token],
        [ann.token, twin],
      ]) {
        const { session } = sessions.open(pair.map((token) => `__Host-id=${token}`).join('; '))
        await session.load()
        expect(session.userId).toBe('ann')
      }
    }
  })

  it('more than four tokens under its name are refused without asking the store', async () => {
    const { visitor, sessions, watched } = await open()
    const tokens: string[] = []
    for (let count = 0; count < 5; count += 1) {
      const guest = visitor()
      await guest.visit((session) => session.set('a', 1))
      tokens.push(`__Host-id=${guest.token}`)
    }
    watched.calls.length = 0
    expect(await sessions.open(tokens.join('; ')).session.get('a')).toBeUndefined()
    expect(watched.calls).toEqual([])
  })

  it('a cookie of another name or case is not ours', async () => {
    const { visitor, sessions, watched } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    watched.calls.length = 0
    for (const header of [
      `__hOsT-id=${ann.token}`,
      `\u00a0__Host-id=${ann.token}`,
      `=__Host-id=${ann.token}`,
      `id=${ann.token}`,
      `__Host-id`,
      `__Host-id[0]=${ann.token}`,
      '',
      null,
      undefined,
    ]) {
      expect(await sessions.open(header).session.get('a'), String(header)).toBeUndefined()
    }
    expect(watched.calls).toEqual([])
  })

  it('an unknown token is an anonymous session, told apart from an expired one by events only', async () => {
    const { visitor, events, elapse } = await open({ idleTimeout: '1h' })
    const ann = visitor()
    await ann.visit((session) => session.signIn('ann'))
    const id = await ann.visit(async (session) => session.load().then(() => session.id))
    events.length = 0
    const forged = visitor(`${ann.token?.slice(0, 22)}${'A'.repeat(32)}`)
    await forged.visit((session) => session.load())
    const stranger = visitor('A'.repeat(54))
    await stranger.visit((session) => session.load())
    await elapse(3_600_000)
    await forged.visit((session) => session.load())
    await ann.visit(async (session) => {
      await session.load()
      expect([session.id, session.isNew]).toEqual([null, true])
    })
    expect(events).toEqual([
      ['tokenUnknown', { sessionId: id }],
      ['tokenUnknown', { sessionId: '00000000-0000-0000-0000-000000000000' }],
      ['tokenUnknown', { sessionId: id }],
      ['expired', { sessionId: id, userId: 'ann' }],
    ])
  })

  it('an unknown token is never adopted: what is stored has another id and secret', async () => {
    const { visitor } = await open()
    const chosen = `AaIJlWqt${'A'.repeat(13)}A${'B'.repeat(32)}`
    const victim = visitor(chosen)
    await victim.visit((session) => session.set('a', 1))
    expect(victim.token).not.toBeNull()
    expect(victim.token?.slice(0, 22)).not.toBe(chosen.slice(0, 22))
    expect(victim.token?.slice(22)).not.toBe(chosen.slice(22))
    expect(await visitor(chosen).visit((session) => session.get('a'))).toBeUndefined()
  })

  describe('with peppers', () => {
    const [first, second] = ['first pepper '.repeat(3), 'second pepper '.repeat(3)]

    it('the store knows a keyed hash, which an attacker who can only write to the store cannot make', async () => {
      const { visitor, watched } = await open({ pepper: first })
      const ann = visitor()
      await ann.visit((session) => session.set('a', 1))
      const secret = String(ann.token).slice(22)
      const id = String(await ann.visit(async (session) => session.load().then(() => session.id)))
      const plain = createHash('sha256').update(secret).digest()
      const keyed = createHmac('sha256', first).update(String(ann.token)).digest()
      const load = (hash: Uint8Array) => watched.store.load({ id, secretHashes: [hash] })
      expect((await load(plain)).status).toBe('unknown')
      expect((await load(keyed)).status).toBe('live')

      const forgedId = 'ffffffff-ffff-7fff-bfff-ffffffffffff'
      await watched.store.create({
        id: forgedId,
        secretHash: createHash('sha256').update('A'.repeat(32)).digest(),
        userId: 'admin',
        lifetime: { idle: 60_000, purge: 60_000 },
        ownIdleTimeout: null,
        absolute: 60_000,
        entries: [],
      })
      const forged = Buffer.from(forgedId.replaceAll('-', ''), 'hex').toString('base64url')
      await visitor(forged + 'A'.repeat(32)).visit(async (session) => {
        await session.load()
        expect(session.userId).toBeNull()
      })
    })

    it('a new one in front keeps sessions, and rotation moves them over', async () => {
      const { visitor, alongside } = await open({ pepper: first })
      const [ann, bob] = [visitor(), visitor()]
      await ann.visit((session) => session.set('a', 1))
      await bob.visit((session) => session.set('a', 1))
      const both = alongside({ pepper: [second, first] })
      const annNow = new Visitor(both, ann.token)
      expect(await annNow.visit((session) => session.get('a'))).toBe(1)
      await annNow.visit((session) => session.rotate())

      const onlyNew = alongside({ pepper: second })
      expect(await new Visitor(onlyNew, annNow.token).visit((s) => s.get('a'))).toBe(1)
      expect(
        await new Visitor(onlyNew, bob.token).visit((s) => s.get('a')),
        'without the old one its sessions are unknown, and no error',
      ).toBeUndefined()
      expect(await new Visitor(both, bob.token).visit((s) => s.get('a'))).toBe(1)
    })
  })

  it('takes the secret of another generator, as long as it is one', async () => {
    const secrets: string[] = []
    const { visitor } = await open({
      generateSecret: () => {
        secrets.push(randomToken(32))
        return String(secrets.at(-1))
      },
    })
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    expect(ann.token?.slice(22)).toBe(secrets.at(-1))
    expect(await ann.visit((session) => session.get('a'))).toBe(1)
  })

  it('a generator that fails later issues no session', async () => {
    let calls = 0
    const { visitor, stored } = await open({
      generateSecret: () => {
        calls += 1
        if (calls > 2) throw new Error('no randomness')
        return randomToken(24)
      },
    })
    await expect(visitor().visit((session) => session.set('a', 1))).rejects.toThrow('no randomness')
    expect(await stored()).toBe(0)
  })
})

describe('generateSecret', () => {
  const made = (generateSecret: unknown): (() => unknown) => {
    return () =>
      createSessions({
        store: new MemoryStore(),
        generateSecret: generateSecret as () => string,
      })
  }

  it('is tried when the sessions are made, and refused when it is too weak', () => {
    for (const secret of [
      '',
      'x'.repeat(31),
      'x'.repeat(257),
      `${'x'.repeat(32)}=`,
      7,
      undefined,
    ]) {
      expect(made(() => secret)).toThrow(ConfigurationError)
      expect(made(() => secret)).toThrow('32 to 256 characters of A–Z, a–z, 0–9, - and _')
    }
    expect(made(async () => randomToken(24))).toThrow(ConfigurationError)
    expect(made('secret')).toThrow('() => randomToken(24)')
  })

  it('is refused when it gives the same twice, and the message does not quote it', () => {
    const make = made(() => 'always-the-same-secret-of-this-length')
    expect(make).toThrow('generateSecret gave the same secret twice')
    expect(make).not.toThrow('always')
  })
})

describe('randomToken', () => {
  it('gives base64url of as many random bytes as asked for', () => {
    for (const bytes of [16, 24, 25, 32, 1024]) {
      const tokens = new Set(Array.from({ length: 50 }, () => randomToken(bytes)))
      expect(tokens.size).toBe(50)
      for (const token of tokens) {
        expect(token).toMatch(/^[\w-]+$/)
        expect(Buffer.from(token, 'base64url')).toHaveLength(bytes)
      }
    }
  })

  it('refuses fewer bytes than OWASP asks for, and what is not a number', () => {
    for (const bytes of [15, 0, -24, 24.5, Number.NaN, 1025, '24', undefined]) {
      expect(() => randomToken(bytes as number)).toThrow(ConfigurationError)
    }
  })
})
