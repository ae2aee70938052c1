import { Router } from 'express'
import type { Pool } from 'pg'
import type { Session } from 'pg-sessions'
import { browserName } from '../browser-name.ts'
import { readText } from '../form-text.ts'
import type { Shop, ShopData } from '../shop.ts'
import { readStoredSession } from '../under-the-hood/stored-session.ts'

const REMEMBERED = { idleTimeout: '30d', absoluteTimeout: '90d' } as const

/** Signing in and out, and what can be done with one's own session. */
export function accountRoutes({ sessionOf }: Shop, pool: Pool): Router {
  const router = Router()

  router.post('/sign-in', async (request, response) => {
    const session = sessionOf(request)
    const form: SignInForm = request.body ?? {}
    const name = readText(form.name, 40)
    await session.load()
    if (name === null) {
      session.set('notice', 'Please give a name of 1 to 40 letters.')
    } else if (session.userId === null) {
      // Set before signing in, these are saved by the same statement.
      await keepFormerHash(session, pool)
      session.set('notice', `Welcome, ${name}. Your token is a new one.`)
      const device = { label: browserName(request.get('user-agent')) }
      await session.signIn(name, { device, ...(form.remember ? { lifetime: REMEMBERED } : {}) })
    }
    response.redirect(303, '/')
  })

  router.post('/sign-out', async (request, response) => {
    const session = sessionOf(request)
    await session.signOut()
    session.set('notice', 'You are signed out. This message is in a new, anonymous session.')
    response.redirect(303, '/')
  })

  router.post('/rotate', async (request, response) => {
    const session = sessionOf(request)
    await keepFormerHash(session, pool)
    session.rotate()
    session.set(
      'notice',
      'New token, same session. Below are the old hash, which no longer opens anything, and the new one.',
    )
    response.redirect(303, '/')
  })

  router.post('/clear', async (request, response) => {
    const session = sessionOf(request)
    session.clear()
    session.set('notice', 'Data, user and token are gone, in one statement. This is a new session.')
    response.redirect(303, '/')
  })

  return router
}

/** Keeps the start of the present hash for the next page, which shows it beside the new one. */
async function keepFormerHash(session: Session<ShopData>, pool: Pool): Promise<void> {
  const stored = await readStoredSession(pool, session.id)
  if (stored !== null) session.set('formerHash', stored.hash_start)
}

/** A demo accepts any name and asks for no password. */
interface SignInForm {
  readonly name?: unknown
  readonly remember?: unknown
}
