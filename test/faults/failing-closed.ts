import { expect } from 'vitest'
import type { Notebook, Page } from './notebook.ts'

/**
 * What a busy machine may add to a deadline, in milliseconds. Without the deadline each of these calls
 * would wait for many seconds, or for ever.
 */
const SLACK = 5000

/** The page failed as it should without a database: in time, as unavailable, and without a cookie. */
export function expectUnavailable(page: Page, { deadline }: Pick<Notebook, 'deadline'>): void {
  expect(page).toMatchObject({ status: 503, cookies: [] })
  expect(page.milliseconds).toBeLessThan(deadline + SLACK)
}
