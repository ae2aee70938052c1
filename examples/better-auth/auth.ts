import { betterAuth } from 'better-auth'
import { Pool } from 'pg'
import { betterAuthStorage } from 'pg-sessions/better-auth'
import { fromPg } from 'pg-sessions/pg'

const secret = process.env.BETTER_AUTH_SECRET ?? ''

export const pool = new Pool({ connectionString: process.env.DATABASE_URL })

export const storage = betterAuthStorage({ database: fromPg(pool), secret })

export const auth = betterAuth({
  baseURL: 'http://localhost:3000',
  database: pool,
  secret,
  secondaryStorage: storage,
  emailAndPassword: { enabled: true },
})
