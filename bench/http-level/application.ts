import type { Visitor } from '../data/visitors.ts'
import type { Servers } from '../store-level/contender.ts'

/** What a page does with its session. */
export type Page = 'untouched' | 'read' | 'write' | 'login'

export const PAGES: readonly Page[] = ['untouched', 'read', 'write', 'login']

/** What each page answers, so that a page that lost its session is found out. */
export const BODIES: Readonly<Record<Page, string>> = {
  untouched: '{"page":"untouched"}',
  read: '{"name":"Ann Example"}',
  write: '{"saved":true}',
  login: '{"user":"ann"}',
}

export const PAGE_METHODS: Readonly<Record<Page, 'GET' | 'POST'>> = {
  untouched: 'GET',
  read: 'GET',
  write: 'POST',
  login: 'POST',
}

/** Signs the cookies of the peers; ours need no such secret. */
export const COOKIE_SECRET = 'a secret of the benchmark, at least 32 characters'

/**
 * Builds a web application of all pages, whose store holds a session for each visitor, and begins to
 * listen on a free port of the loopback interface.
 */
export type StartApplication = (
  servers: Servers,
  visitors: readonly Visitor[],
) => Promise<{ readonly port: number }>
