/** Why a request with an outdated token changed nothing. */
export const SUPERSEDED =
  'Another request gave the session a new token or signed in while this request held the old token, so nothing was changed. Let the client repeat the request with its new cookie.'
