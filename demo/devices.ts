import type { Session, SessionInfo, Sessions } from 'pg-sessions'
import type { ShopData } from './shop.ts'

/** The devices of the signed-in user, this one first. */
export async function listDevices(
  sessions: Sessions<ShopData>,
  session: Session<ShopData>,
): Promise<SessionInfo[]> {
  if (session.userId === null) return []
  const devices = await sessions.listByUser(session.userId, { current: session })
  return devices.sort((a, b) => Number(b.isCurrent) - Number(a.isCurrent))
}
