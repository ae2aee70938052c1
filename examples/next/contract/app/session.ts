import { cookies, headers } from 'next/headers'
import { after } from 'next/server'
import type { Sessions } from 'pg-sessions'
import { type NextSessions, nextSessions } from 'pg-sessions/next'
import '../parts.ts'

const made = new WeakMap<Sessions, NextSessions<object>>()

/** Each of the contract's tests has sessions of its own, for the one application that has been built. */
function of(sessions: Sessions): ReturnType<typeof make> {
  const known = (made.get(sessions) as ReturnType<typeof make> | undefined) ?? make(sessions)
  made.set(sessions, known as NextSessions<object>)
  return known
}

function make(sessions: Sessions) {
  return nextSessions(sessions, { cookies, headers, after })
}

export const own = () => of(globalThis.contractParts.sessions)
export const inner = () => make(globalThis.contractParts.sessions)
export const other = () => of(globalThis.contractParts.others)

/** As an application has it, once for all requests. */
export const getSession = nextSessions(
  { open: (header, watch) => globalThis.contractParts.sessions.open(header, watch) },
  { cookies, headers, after },
)
