import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type BetterAuthOptions, betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { toNodeHandler } from 'better-auth/node'
import { Pool } from 'pg'
import { type BetterAuthStorage, betterAuthStorage } from 'pg-sessions/better-auth'
import { fromPg } from 'pg-sessions/pg'

export const pool: Pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 20 })
const secret = 'a secret of this test, long enough for better-auth'

/** How many fields an application adds to its sessions. */
export const FIELDS: readonly string[] = Array.from({ length: 50 }, (_, index) => `field${index}`)

/** better-auth on HTTP. */
export interface Application {
  readonly origin: string
  readonly storage: BetterAuthStorage
  close(): Promise<void>
}

/** Starts a process of an application, in as far as it shares nothing with another but the database. */
export async function startApplication(
  options: Partial<BetterAuthOptions> = {},
  watch: (storage: BetterAuthStorage) => BetterAuthStorage = (storage) => storage,
): Promise<Application> {
  const storage = betterAuthStorage({ database: fromPg(pool), secret, log: false })
  const settings: BetterAuthOptions = {
    baseURL: 'http://localhost',
    database: pool,
    secret,
    secondaryStorage: watch(storage),
    emailAndPassword: { enabled: true, password: quickPasswords },
    user: { deleteUser: { enabled: true } },
    session: {
      additionalFields: Object.fromEntries(
        FIELDS.map((field) => [field, { type: 'string', required: false } as const]),
      ),
    },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    trustedOrigins: ['http://localhost'],
    ...options,
  }
  const { runMigrations } = await getMigrations(settings)
  await runMigrations()
  const server = createServer(toNodeHandler(betterAuth(settings)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    storage,
    async close() {
      await new Promise((resolve) => server.close(resolve))
      await storage.close()
    },
  }
}

/** Its own hash takes a tenth of a second of CPU. */
const quickPasswords = {
  hash: async (password: string) => `hash of ${password}`,
  verify: async ({ hash, password }: { hash: string; password: string }) =>
    hash === `hash of ${password}`,
}
