import { describe, it } from 'node:test'
import { adapterContract, type OpenApplication } from 'pg-sessions/testing'
import { elysiaApplication } from '../../../test/adapters/elysia-application.ts'

const open: OpenApplication = async (parts) => {
  const app = elysiaApplication(parts).listen({ port: 0, hostname: '127.0.0.1' })
  return {
    origin: `http://127.0.0.1:${app.server?.port}`,
    close: async () => void (await app.stop(true)),
  }
}

describe('Elysia on Bun', () => adapterContract({ describe, it }, open, { raw: false }))
