import { defineHandler } from 'nitro/h3'

export default defineHandler(async ({ context: { session }, res }) => {
  await session.load()
  res.headers.set('Content-Type', 'text/html; charset=utf-8')
  return `<!doctype html>
<title>Sessions with Nitro</title>
<p>Hello, ${session.userId ?? 'stranger'}. Clicks: ${session.data.clicks ?? 0}.</p>
<form method="post">
  <button formaction="/click">Click</button>
  <button formaction="/login">Sign in</button>
  <button formaction="/logout">Sign out</button>
</form>`
})
