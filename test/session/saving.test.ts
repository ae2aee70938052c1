import {
  ResponseStartedError,
  type Session,
  SessionGoneError,
  StoreUnavailableError,
} from 'pg-sessions'
import type { ResponsePhase } from 'pg-sessions/adapter'
import { expect, it } from 'vitest'
import { eachStore } from '../support/each-store.ts'

const down = new StoreUnavailableError('The database did not answer.', 'none')

eachStore((open) => {
  it('saves at once when asked to, for every request that starts afterwards', async () => {
    const { visitor } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    const request = ann.open()
    request.session.set('a', 2)
    await request.session.save()
    expect(await ann.visit((session) => session.get('a'))).toBe(2)
    await request.commit()
    expect(ann.setCookies, 'nothing is left to say').toEqual([])
  })

  it('a save with nothing to save asks the store nothing', async () => {
    const { visitor, watched } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    watched.calls.length = 0
    await ann.visit(async (session) => {
      await session.save()
      await session.save()
    })
    expect(watched.calls).toEqual([])
  })

  it('saves everything in one call: a first one, a change, a clear, a destroy', async () => {
    const { visitor, watched } = await open()
    const ann = visitor()
    const callsOf = async (use: Parameters<typeof ann.visit>[0]): Promise<string[]> => {
      watched.calls.length = 0
      await ann.visit(use)
      return [...watched.calls]
    }
    expect(await callsOf(() => undefined)).toEqual([])
    expect(
      await callsOf((session) => {
        session.set('a', 1)
        session.set('b', 2)
      }),
    ).toEqual(['create'])
    expect(
      await callsOf((session) => {
        session.set('a', 2)
        session.delete('b')
        session.set('c', 3)
        session.rotate()
        session.setLifetime({ idleTimeout: '7d' })
      }),
    ).toEqual(['load', 'save'])
    expect(await callsOf((session) => session.clear())).toEqual(['load', 'replace'])
    expect(await callsOf((session) => session.destroy())).toEqual(['load', 'destroy'])
  })

  it('a second save saves what came after the first', async () => {
    const { visitor, watched } = await open()
    const ann = visitor()
    await ann.visit(async (session) => {
      session.set('a', 1)
      await session.save()
      session.set('b', 2)
      await session.save()
      session.set('c', 3)
    })
    expect(watched.calls).toEqual(['create', 'save', 'save'])
    expect(Object.fromEntries(await ann.visit((session) => session.entries()))).toEqual({
      a: 1,
      b: 2,
      c: 3,
    })
  })

  it('two saves at once wait for each other, and the first visit makes one session', async () => {
    const { visitor, watched, stored } = await open()
    const ann = visitor()
    await ann.visit(async (session) => {
      session.set('a', 1)
      const first = session.save()
      session.set('b', 2)
      const second = session.save()
      await Promise.all([first, second])
    })
    expect(watched.calls[0]).toBe('create')
    expect(await stored()).toBe(1)
    expect(Object.fromEntries(await ann.visit((session) => session.entries()))).toEqual({
      a: 1,
      b: 2,
    })
  })

  it('the response waits for a save that the handler did not', async () => {
    const { visitor, watched } = await open()
    const ann = visitor()
    const held = watched.hold('create')
    const request = ann.open()
    request.session.set('a', 1)
    const saving = request.session.save()
    await held.reached
    let isCommitted = false
    const committing = request.commit().then(() => {
      isCommitted = true
    })
    await new Promise(setImmediate)
    expect(isCommitted).toBe(false)
    held.release()
    await Promise.all([saving, committing])
    expect(await ann.visit((session) => session.get('a'))).toBe(1)
  })

  it('what is being saved is read, deleted and updated as if it were saved', async () => {
    const { visitor, watched } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('old', 0))
    await ann.visit(async (session) => {
      await session.load()
      const held = watched.hold('save')
      session.set('a', 1)
      session.set('b', 1)
      session.set('c', 1)
      session.delete('old')
      const saving = session.save()
      await held.reached

      expect(await session.get('a')).toBe(1)
      expect({ ...session.data }).toEqual({ a: 1, b: 1, c: 1 })
      session.delete('a')
      expect(await session.take('b')).toBe(1)
      const updating = session.update('c', (c) => Number(c) + 1)
      expect({ ...session.data }).toEqual({ c: 1 })
      held.release()
      await Promise.all([saving, updating])
      expect({ ...session.data }).toEqual({ c: 2 })
    })
    expect(await ann.visit((session) => session.entries())).toEqual([['c', 2]])
  })

  it('an ending that is being saved hides what it ends', async () => {
    const { visitor, watched } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('old', 0))
    await ann.visit(async (session) => {
      await session.load()
      const held = watched.hold('replace')
      session.clear()
      session.set('new', 1)
      const saving = session.save()
      await held.reached
      expect(await session.entries()).toEqual([['new', 1]])
      expect(await session.get('old')).toBeUndefined()
      session.set('newer', 2)
      held.release()
      await saving
    })
    expect(Object.fromEntries(await ann.visit((session) => session.entries()))).toEqual({
      new: 1,
      newer: 2,
    })
  })

  it('keeps the changes of a save that failed, for another try, with later ones on top', async () => {
    const { visitor, watched } = await open()
    const ann = visitor()
    await ann.visit((session) => {
      session.set('a', 0)
      session.set('b', 0)
    })
    await ann.visit(async (session) => {
      session.set('a', 1)
      session.delete('b')
      session.rotate()
      watched.fail('save', down)
      await expect(session.save()).rejects.toBe(down)
      expect({ ...session.data }, 'they still count').toEqual({ a: 1 })
      session.set('c', 3)
      session.set('a', 2)
      await session.save()
    })
    expect(ann.setCookies, 'the rotation was kept too').toHaveLength(1)
    expect(Object.fromEntries(await ann.visit((session) => session.entries()))).toEqual({
      a: 2,
      c: 3,
    })
  })

  it('what is asked for while a save fails is done with the next one, on top', async () => {
    const { visitor, watched } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('a', 0))
    const old = ann.twin()
    await ann.visit(async (session) => {
      const held = watched.hold('save')
      session.set('a', 1)
      session.set('b', 1)
      const saving = session.save()
      await held.reached
      session.set('a', 2)
      session.setLifetime({ idleTimeout: '20d' })
      session.rotate()
      held.release(down)
      await expect(saving).rejects.toBe(down)
    })
    expect(ann.setCookies[0]).toContain('Max-Age')
    expect(Object.fromEntries(await ann.visit((session) => session.entries()))).toEqual({
      a: 2,
      b: 1,
    })
    expect(await old.visit((session) => session.get('a'))).toBeUndefined()
  })

  it('keeps a lifetime, and an ending with what came after it, over a save that failed', async () => {
    const { visitor, watched } = await open()
    const ann = visitor()
    await ann.visit((session) => session.signIn('ann'))
    await ann.visit(async (session) => {
      session.setLifetime({ idleTimeout: '20d' })
      watched.fail('save', down)
      await expect(session.save()).rejects.toBe(down)
      await session.save()
      expect(Number(session.expiresAt) - Date.now()).toBeGreaterThan(19 * 86_400_000)
    })
    await ann.visit(async (session) => {
      session.clear()
      session.set('new', 1)
      watched.fail('replace', down)
      await expect(session.save()).rejects.toBe(down)
      session.set('newer', 2)
    })
    await ann.visit(async (session) => {
      expect(Object.fromEntries(await session.entries())).toEqual({ new: 1, newer: 2 })
      expect(session.userId).toBeNull()
    })
  })

  it('a destroy that failed stays one when a clear follows, be it after or meanwhile', async () => {
    const { visitor, watched, stored } = await open()
    for (const when of ['after', 'meanwhile']) {
      const ann = visitor()
      await ann.visit((session) => session.set('a', 1))
      await ann.visit(async (session) => {
        const held = watched.hold('destroy')
        session.destroy()
        const saving = session.save()
        await held.reached
        if (when === 'meanwhile') session.clear()
        held.release(down)
        await expect(saving).rejects.toBe(down)
        session.clear()
      })
      expect(ann.token, when).toBeNull()
    }
    expect(await stored()).toBe(0)
  })

  it('does not try again what was discarded while it was being saved', async () => {
    const { visitor, watched } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    const { session, exchange, commit } = ann.open()
    const held = watched.hold('save')
    session.set('a', 2)
    const saving = session.save()
    await held.reached
    exchange.discard()
    held.release(down)
    await expect(saving).rejects.toBe(down)
    expect(exchange.hasChanges).toBe(false)
    await commit()
    expect(await ann.visit((it) => it.entries())).toEqual([['a', 1]])
  })

  it('says that a session is gone, writes nothing, and drops the changes', async () => {
    const { visitor, sessions, watched, stored } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('a', 1))
    const request = ann.open()
    await request.session.load()
    const { id } = request.session
    await sessions.destroyById(String(id))

    request.session.set('a', 2)
    const failure = await request.session.save().catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(SessionGoneError)
    expect(failure).toMatchObject({ code: 'ERR_SESSION_GONE', statusCode: 409, sessionId: id })
    watched.calls.length = 0
    await request.commit()
    expect(
      watched.calls.filter((call) => call !== 'touch'),
      'nothing is left',
    ).toEqual([])
    expect(ann.setCookies).toEqual([])
    expect(await stored()).toBe(0)
  })

  it('announces once that the response depends on a save, before the change is made', async () => {
    const { visitor } = await open()
    const changing = [
      (s: Session) => s.set('a', 1),
      (s: Session) => s.delete('a'),
      (s: Session) => s.rotate(),
      (s: Session) => s.clear(),
      (s: Session) => s.destroy(),
      (s: Session) => s.setLifetime({ idleTimeout: '2h' }),
      (s: Session) => s.signIn('ann'),
      (s: Session) => s.signOut(),
      (s: Session) => s.update('new', () => 1),
    ]
    for (const change of changing) {
      const known = visitor()
      await known.visit((session) => session.set('a', 0))
      let told = 0
      const { session, exchange, commit } = known.open({
        onChange() {
          told += 1
          expect(exchange.hasChanges).toBe(false)
        },
      })
      await session.get('a')
      expect(told).toBe(0)
      const done = change(session)
      if (change.toString().includes('update')) await done
      else expect(told, change.toString()).toBe(1)
      await done
      await session.save()
      session.set('b', 2)
      await commit()
      expect(told, change.toString()).toBe(1)
    }
  })

  it('deleting what is known not to be there is no change', async () => {
    const { visitor } = await open()
    const ann = visitor()
    await ann.visit((session) => session.set('a', 0))
    for (const browser of [ann, visitor()]) {
      let told = 0
      const { session, exchange } = browser.open({
        onChange() {
          told += 1
        },
      })
      await session.load()
      session.delete('never there')
      await session.take('never there')
      expect([told, exchange.hasChanges]).toEqual([0, false])
    }
  })

  it('announces changes again after those before were discarded', async () => {
    const { visitor } = await open()
    let told = 0
    const { session, exchange } = visitor().open({
      onChange() {
        told += 1
      },
    })
    session.set('a', 1)
    exchange.discard()
    session.set('b', 2)
    session.set('c', 2)
    expect(told).toBe(2)
  })

  it('a change that needs a cookie is refused loudly once the head has left', async () => {
    const { visitor, stored } = await open()
    let phase: ResponsePhase = 'sent'
    const { session, commit } = visitor().open({ phase: () => phase })
    expect(() => session.set('a', 1)).toThrow(ResponseStartedError)
    expect(() => session.rotate()).toThrow(ResponseStartedError)
    expect(() => session.clear()).toThrow(ResponseStartedError)
    expect(() => session.setLifetime({ idleTimeout: '2h' })).toThrow(ResponseStartedError)
    await expect(session.update('a', () => 1)).rejects.toThrow(ResponseStartedError)
    await expect(session.signIn('ann')).rejects.toThrow(ResponseStartedError)
    session.destroy()
    await session.signOut()
    expect(await stored()).toBe(0)

    phase = 'open'
    session.set('a', 1)
    phase = 'sent'
    await expect(commit(), 'set in time, but saved too late').rejects.toThrow(ResponseStartedError)
    expect(await stored()).toBe(0)
  })

  it('a stored session can still be changed after the head, as long as its token stays', async () => {
    const { visitor, sessions } = await open()
    const ann = visitor()
    await ann.visit((session) => session.signIn('ann'))
    const late = ann.open({ phase: () => 'sent' })
    late.session.set('a', 1)
    await late.session.update('n', () => 2)
    await late.session.save()
    await expect(late.session.signIn('bob')).rejects.toThrow(ResponseStartedError)
    await expect(late.session.signIn('ann')).rejects.toThrow(ResponseStartedError)
    await ann.visit(async (session) => {
      expect(Object.fromEntries(await session.entries())).toEqual({ a: 1, n: 2 })
      expect(session.userId).toBe('ann')
    })
    late.session.destroy()
    await late.commit()
    expect(await sessions.listByUser('ann')).toEqual([])
  })
})
