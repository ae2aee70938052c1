import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider } from 'oidc-provider'

/** An OpenID provider that signs in the user whom the browser's cookie `user` names. */
export interface IdentityProvider extends AsyncDisposable {
  readonly issuer: string
  /** Errors of the logout tokens that it sent. */
  readonly failures: readonly Error[]
}

export const CLIENT = { id: 'shop', secret: 'a secret of the shop and the provider' }

/** @param application - Where the application listens. */
export async function openIdentityProvider(application: string): Promise<IdentityProvider> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        redirect_uris: [`${application}/callback`],
        backchannel_logout_uri: `${application}/backchannel-logout`,
        backchannel_logout_session_required: true,
      },
    ],
    cookies: { keys: ['a key of the provider'] },
    // Its own dispatcher refuses addresses of this machine.
    fetch: (url: string, { dispatcher: _, ...options }: RequestInit & { dispatcher?: unknown }) =>
      fetch(url, options),
    features: { backchannelLogout: { enabled: true }, devInteractions: { enabled: false } },
    findAccount: (_: unknown, accountId: string) => ({
      accountId,
      claims: () => ({ sub: accountId }),
    }),
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
  })
  const failures: Error[] = []
  provider.on('backchannel.error', (_, error) => failures.push(error))
  const answer = provider.callback()
  server.on('request', (request, response) => {
    if (!request.url?.startsWith('/interaction/')) return answer(request, response)
    void (async () => {
      const { prompt, params, session } = await provider.interactionDetails(request, response)
      const accountId = session?.accountId ?? ''
      if (prompt.name === 'login') {
        const user = /user=(\w+)/.exec(request.headers.cookie ?? '')?.[1]
        return provider.interactionFinished(request, response, { login: { accountId: user } })
      }
      const grant = new provider.Grant({ accountId, clientId: params.client_id })
      grant.addOIDCScope('openid')
      const grantId = await grant.save()
      return provider.interactionFinished(request, response, { consent: { grantId } })
    })()
  })
  return {
    issuer,
    failures,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
