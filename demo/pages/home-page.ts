import type { SessionInfo } from 'pg-sessions'
import type { ShopData } from '../shop.ts'
import type { RequestTrace } from '../under-the-hood/round-trip-log.ts'
import type { StoredSession } from '../under-the-hood/stored-session.ts'
import { accountSection } from './account-section.ts'
import { actAsSection, actingBanner } from './acting-section.ts'
import { addressSection } from './address-section.ts'
import { basketSection } from './basket-section.ts'
import { clicksSection } from './clicks-section.ts'
import { devicesSection } from './devices-section.ts'
import { hoodSection } from './hood-section.ts'
import { type Html, html } from './html.ts'
import { icon, layout } from './layout.ts'
import { timeSection } from './time-section.ts'

export interface HomeFacts {
  readonly notice: string | undefined
  readonly userId: string | null
  /** The administrator who acts as the user; null in the user's own session. */
  readonly actor: string | null
  readonly isAdministrator: boolean
  readonly data: Readonly<Partial<ShopData>>
  readonly devices: readonly SessionInfo[]
  /** What the database holds for this session; null for an anonymous visitor. */
  readonly stored: StoredSession | null
  /** The start of the hash that a sign-in or rotation has just replaced. */
  readonly formerHash: string | undefined
  readonly requests: readonly RequestTrace[]
}

export function homePage(facts: HomeFacts): Html {
  const { notice, userId, actor, isAdministrator, data, devices, stored, formerHash, requests } =
    facts
  return layout(
    'Corner shop, a demo of pg-sessions',
    html`<header class="top">
  <h1 class="brand">${icon('session')} Corner shop</h1>
  <p class="about">a demo of <strong>pg-sessions</strong>: sessions that live in PostgreSQL · <a href="/admin">admin page</a>, for “admin”</p>
</header>
<main>
  ${actor !== null && userId !== null && actingBanner(actor, userId)}
  ${notice && html`<p class="notice" role="status">${notice}</p>`}
  <div class="columns">
    <div class="column">
      ${basketSection(data.basket ?? {})}
      ${clicksSection(data)}
      ${userId !== null && addressSection(data.address, actor !== null)}
    </div>
    <div class="column">
      ${accountSection(userId)}
      ${isAdministrator && actAsSection()}
      ${userId !== null && devicesSection(devices)}
    </div>
  </div>
  ${stored && timeSection(stored)}
  ${hoodSection({ stored, formerHash, requests })}
</main>`,
  )
}
