import type { Session } from 'pg-sessions'
import type { ShopData } from './shop.ts'

/** The user who may open the admin page and act as others. A demo asks for no password; yours must. */
export const ADMINISTRATOR = 'admin'

/** The administrator's user id; null for other visitors, and for an administrator who acts as a user. */
export function administratorOf({ userId, actor }: Session<ShopData>): string | null {
  return actor === null && userId?.toLowerCase() === ADMINISTRATOR ? userId : null
}
