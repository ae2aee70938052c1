import express from 'express'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import * as oidc from 'openid-client'
import type { Sessions } from 'pg-sessions'
import { expressSessions } from 'pg-sessions/express'
import { CLIENT } from './identity-provider.ts'

/** The application of the recipe. */
export async function relyingParty(
  sessions: Sessions,
  issuer: string,
  origin: string,
): Promise<express.Express> {
  const provider = await oidc.discovery(new URL(issuer), CLIENT.id, CLIENT.secret, undefined, {
    execute: [oidc.allowInsecureRequests],
  })
  const keys = createRemoteJWKSet(new URL(provider.serverMetadata().jwks_uri ?? ''))
  const app = express()
  app.use(expressSessions(sessions))

  app.get('/login', (req, res) => {
    void (async () => {
      const verifier = oidc.randomPKCECodeVerifier()
      const state = oidc.randomState()
      req.session.set('login', { verifier, state })
      const url = oidc.buildAuthorizationUrl(provider, {
        redirect_uri: `${origin}/callback`,
        scope: 'openid',
        state,
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      })
      res.redirect(url.href)
    })()
  })

  app.get('/callback', async (req, res) => {
    const { verifier, state } = (await req.session.take('login')) as Record<string, string>
    const tokens = await oidc.authorizationCodeGrant(provider, new URL(req.originalUrl, origin), {
      ...(verifier === undefined ? {} : { pkceCodeVerifier: verifier }),
      ...(state === undefined ? {} : { expectedState: state }),
    })
    const claims = tokens.claims()
    if (claims === undefined) throw new Error('no id token')
    await req.session.signIn(claims.sub, { tags: [`oidc:${claims.iss}#${claims['sid']}`] })
    res.redirect('/me')
  })

  app.get('/me', async (req, res) => {
    await req.session.load()
    res.json(req.session.userId)
  })

  app.post('/backchannel-logout', express.urlencoded(), async (req, res) => {
    res.set('Cache-Control', 'no-store')
    try {
      const { payload } = await jwtVerify(req.body.logout_token, keys, {
        issuer: provider.serverMetadata().issuer,
        audience: CLIENT.id,
        requiredClaims: ['iat', 'jti', 'events'],
        maxTokenAge: '2m',
      })
      const events = Object(payload['events'])
      if (!('http://schemas.openid.net/event/backchannel-logout' in events)) throw new Error()
      if ('nonce' in payload) throw new Error()
      if (typeof payload['sid'] === 'string') {
        await sessions.destroyByTag(`oidc:${payload.iss}#${payload['sid']}`)
      } else await sessions.destroyByUser(payload.sub ?? '')
      res.sendStatus(200)
    } catch {
      res.sendStatus(400)
    }
  })
  return app
}
