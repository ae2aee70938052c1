declare module 'pg-sessions' {
  interface SessionData {
    clicks: number
  }
}

export function page(userId: string | null, clicks: number = 0): string {
  return `<!doctype html>
<title>Sessions with Fetch</title>
<p>Hello, ${userId ?? 'stranger'}. Clicks: ${clicks}.</p>
<form method="post">
  <button formaction="/click">Click</button>
  <button formaction="/login">Sign in</button>
  <button formaction="/logout">Sign out</button>
</form>`
}
