import { describe, it } from 'vitest'
import { attackedLogins, attacks } from './attacked-logins.ts'
import { shareDatabase } from './shared-database.ts'

const shared = shareDatabase()

describe('a login in flight on the other side', () => {
  it.each(attacks)('keeps its new key from 4 clients that %s with the old one', async (_, use) => {
    await attackedLogins(shared, 200, use)
  })
})
