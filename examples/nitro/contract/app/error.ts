import type { H3Event } from 'nitro/h3'
import { defineNitroErrorHandler } from 'nitro/runtime'
import '../parts.ts'

/** The application's error page: Nitro's way to have one. */
export default defineNitroErrorHandler((error, event) => {
  if (error.status === 404) return new Response('Not here', { status: 404 })
  const { script } = globalThis.contractParts
  const { context, req } = event as H3Event
  const { status, text } = script.errorPage(context.session, req.url, error.cause ?? error)
  return new Response(text, { status })
})
