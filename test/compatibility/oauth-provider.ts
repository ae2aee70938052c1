import { createHash, randomUUID } from 'node:crypto'
import express from 'express'
import { serve } from '../adapters/listen.ts'

interface Grant {
  readonly user: string
  readonly challenge: string
}

/** A provider of OAuth 2.0 with PKCE, which signs everybody in as the user that `/authorize` is asked for. */
export interface OAuthProvider {
  readonly origin: string
  close(): Promise<void>
}

export async function openProvider(): Promise<OAuthProvider> {
  const grants = new Map<string, Grant>()
  const app = express()
  app.get('/authorize', (request, response) => {
    const { redirect_uri, state, code_challenge, user = 'ann' } = request.query as Query
    const code = randomUUID()
    grants.set(code, { user, challenge: code_challenge ?? '' })
    const back = new URL(redirect_uri ?? '')
    back.searchParams.set('code', code)
    back.searchParams.set('state', state ?? '')
    response.redirect(back.href)
  })
  app.post('/token', express.urlencoded(), (request, response) => {
    const { code, code_verifier = '' } = request.body as Query
    const grant = grants.get(code ?? '')
    grants.delete(code ?? '')
    const challenge = createHash('sha256').update(code_verifier).digest('base64url')
    if (grant?.challenge === challenge) response.json({ access_token: grant.user })
    else response.status(400).json({ error: 'invalid_grant' })
  })
  app.get('/user', (request, response) => {
    response.json({ id: request.headers.authorization?.replace('Bearer ', '') })
  })
  return serve(app)
}

type Query = Partial<Record<string, string>>
