import { type Session, SessionGoneError, StoreUnavailableError } from 'pg-sessions'
import { expect, it } from 'vitest'
import { eachStore } from '../support/each-store.ts'

eachStore((open) => {
  it('clear drops data, user and token, and begins an empty session with a new id', async () => {
    const { visitor, stored } = await open()
    const ann = visitor()
    await ann.visit(async (session) => {
      await session.signIn('ann')
      session.set('a', 1)
    })
    const before = ann.twin()
    const oldId = await ann.visit(async (session) => {
      await session.load()
      session.clear()
      return session.id
    })
    expect(ann.setCookies).toHaveLength(1)
    await ann.visit(async (session) => {
      await session.load()
      expect(session.id).not.toBeNull()
      expect(session.id).not.toBe(oldId)
      expect([session.userId, session.authenticatedAt, { ...session.data }]).toEqual([
        null,
        null,
        {},
      ])
    })
    await before.visit(async (session) => {
      await session.load()
      expect(session.id, 'the old token is dead').toBeNull()
    })
    expect(await stored()).toBe(1)
  })

  it('clear keeps nothing that was set before it and everything after', async () => {
    const { visitor } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('stored', 1))
    await ann.visit(async (session) => {
      session.set('before', 1)
      session.setLifetime({ idleTimeout: '20d' })
      session.clear()
      session.set('after', 1)
      session.delete('stored')
      session.set('later', 1)
      session.delete('later')
      expect(await session.entries()).toEqual([['after', 1]])
      session.clear()
      session.set('last', 1)
    })
    await ann.visit(async (session) => {
      expect(await session.entries()).toEqual([['last', 1]])
      const lifetime = Number(session.expiresAt) - Number(session.createdAt)
      expect(lifetime, 'nor a lifetime that was set before').toBe(3_600_000)
    })
  })

  it('clear without a session stores nothing and is not an error', async () => {
    const { visitor, stored, watched } = await open()
    const stranger = visitor()
    await stranger.visit((session) => session.clear())
    await stranger.visit((session) => {
      session.set('a', 1)
      session.clear()
    })
    expect(watched.calls).toEqual([])
    expect(stranger.token).toBeNull()
    await stranger.visit((session) => {
      session.clear()
      session.set('a', 1)
    })
    expect(await stored()).toBe(1)
  })

  it('clear by two requests with one token ends the session once, and each gets one of its own', async () => {
    const { visitor, events } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    const tabs = [ann.twin(), ann.twin()]
    const requests = tabs.map((tab) => tab.open())
    await Promise.all(requests.map(({ session }) => session.load()))
    for (const [n, { session }] of requests.entries()) {
      session.clear()
      session.set('user', n)
    }
    await Promise.all(requests.map((request) => request.commit()))
    expect(events.filter(([name]) => name === 'cleared')).toHaveLength(1)
    expect(await ann.visit((session) => session.get('a'))).toBeUndefined()
    for (const [n, tab] of tabs.entries()) {
      expect(await tab.visit((session) => session.entries())).toEqual([['user', n]])
    }
  })

  const endings: [string, (session: Session) => unknown][] = [
    ['clear', (session) => session.clear()],
    ['destroy', (session) => session.destroy()],
    ['signOut', (session) => session.signOut()],
    ['setLifetime', (session) => session.setLifetime({ idleTimeout: '2h' })],
  ]
  const replacements: [string, (session: Session) => unknown][] = [
    ['rotate', (session) => session.rotate()],
    ['a new sign-in', (session) => session.signIn('ann')],
  ]
  for (const [replacement, replace] of replacements) {
    it.each(endings)(
      `%s is refused to a request whose token was replaced by ${replacement}`,
      async (_, end) => {
        const { visitor } = await open()
        const ann = visitor()
        await ann.visit(async (session) => {
          session.set('a', 1)
          await session.signIn('ann')
        })
        const late = ann.twin().open()
        await late.session.load()
        await ann.visit(replace)
        const ending = async (): Promise<unknown> => {
          await end(late.session)
          return late.commit()
        }
        await expect(ending()).rejects.toThrow(SessionGoneError)
        expect(await ann.visit((session) => session.get('a'))).toBe(1)
      },
    )
  }

  it('a request ends its session with the token that it has just got', async () => {
    const { visitor, stored } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    await ann.visit(async (session) => {
      session.rotate()
      await session.save()
      await session.signOut()
    })
    expect(await stored()).toBe(0)
  })

  it('destroy ends the session and takes the cookie away', async () => {
    const { visitor, stored } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    const before = ann.twin()
    await ann.visit(async (session) => {
      await session.load()
      session.destroy()
      expect(await session.entries()).toEqual([])
      await session.save()
      expect([session.id, session.isNew]).toEqual([null, true])
    })
    expect(ann.setCookies).toEqual([
      '__Host-id=; Max-Age=0; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax',
    ])
    expect(await stored()).toBe(0)
    expect(await before.visit((session) => session.get('a'))).toBeUndefined()
  })

  it('what is set after destroy belongs to another session', async () => {
    const { visitor, stored } = await open()
    const ann = visitor()
    await ann.visit((session) => session.signIn('ann'))
    const before = ann.twin()
    const oldId = await ann.visit(async (session) => {
      await session.load()
      session.set('before', 1)
      session.destroy()
      session.set('notice', 'Goodbye')
      expect(await session.entries()).toEqual([['notice', 'Goodbye']])
      return session.id
    })
    await ann.visit(async (session) => {
      expect(await session.entries()).toEqual([['notice', 'Goodbye']])
      expect(session.userId).toBeNull()
      expect(session.id).not.toBe(oldId)
    })
    expect(await before.visit((session) => session.has('notice'))).toBe(false)
    expect(await stored()).toBe(1)
  })

  it('destroy is not undone by clear, and clear becomes destroy', async () => {
    const { visitor, stored } = await open()
    for (const end of ['destroy then clear', 'clear then destroy']) {
      const ann = visitor()
      await ann.visit((session) => session.set('a', 1))
      await ann.visit((session) => {
        if (end.startsWith('destroy')) session.destroy()
        session.clear()
        if (end.endsWith('destroy')) session.destroy()
      })
      expect(ann.token, end).toBeNull()
    }
    expect(await stored()).toBe(0)
  })

  it('destroying what is gone already is not an error, and what is set after it is kept', async () => {
    const { visitor, events } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    const late = ann.twin().open()
    const later = ann.twin()
    const latest = later.open()
    await Promise.all([late.session.load(), latest.session.load()])
    await ann.visit((session) => session.destroy())

    late.session.destroy()
    await late.commit()
    latest.session.destroy()
    latest.session.set('notice', 'Goodbye')
    await latest.commit()
    expect(await later.visit((session) => session.get('notice'))).toBe('Goodbye')
    expect(events.filter(([name]) => name === 'destroyed')).toHaveLength(1)
  })

  it('destroy without a session takes away a cookie that names none, and sends none otherwise', async () => {
    const { visitor, watched } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    const before = ann.twin()
    await ann.visit((session) => session.destroy())
    await before.visit((session) => session.destroy())
    expect(before.token).toBeNull()

    watched.calls.length = 0
    const stranger = visitor()
    await stranger.visit((session) => session.destroy())
    expect(stranger.setCookies).toEqual([])
    expect(watched.calls).toEqual([])
  })

  it('signOut ends the session at once, with its data, and takes the cookie away', async () => {
    const { visitor, stored } = await open()
    const ann = visitor()
    await ann.visit(async (session) => {
      await session.signIn('ann')
      session.set('a', 1)
    })
    const request = ann.open()
    request.session.set('b', 1)
    await request.session.signOut()
    expect(await stored(), 'before the response').toBe(0)
    expect(request.session.userId).toBeNull()
    await request.commit()
    expect(ann.token).toBeNull()
  })

  it('what is set after signOut begins another session', async () => {
    const { visitor } = await open()
    const ann = visitor()
    await ann.visit((session) => session.signIn('ann'))
    await ann.visit(async (session) => {
      await session.signOut()
      session.set('notice', 'Goodbye')
    })
    await ann.visit(async (session) => {
      expect(await session.entries()).toEqual([['notice', 'Goodbye']])
      expect(session.userId).toBeNull()
    })
  })

  it('signOut without a session is not an error and stores nothing', async () => {
    const { visitor, stored, watched } = await open()
    await visitor().visit((session) => session.signOut())
    expect(watched.calls).toEqual([])
    expect(await stored()).toBe(0)
  })

  it('a signOut that fails says so, and is tried again with the response', async () => {
    const { visitor, watched, stored } = await open()
    const ann = visitor()
    await ann.visit((session) => session.signIn('ann'))
    const { session, commit } = ann.open()
    watched.fail('destroy', new StoreUnavailableError('no answer', 'unknown'))
    await expect(session.signOut()).rejects.toThrow(StoreUnavailableError)
    expect(await stored()).toBe(1)
    await commit()
    expect(await stored()).toBe(0)
    expect(ann.token).toBeNull()
  })

  it('ends once more after it has begun again, all in one request', async () => {
    const { visitor, stored } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    await ann.visit(async (session) => {
      session.destroy()
      await session.save()
      session.set('b', 2)
      await session.save()
      session.clear()
      session.set('c', 3)
      await session.save()
      await session.signIn('ann')
      await session.signOut()
      session.set('d', 4)
    })
    expect(await stored()).toBe(1)
    expect(await ann.visit((session) => session.entries())).toEqual([['d', 4]])
  })
})
