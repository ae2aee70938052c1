import { defineAction } from 'astro:actions'
import '../../../parts.ts'

const change = async (_input: unknown, context: { locals: App.Locals; request: Request }) => {
  globalThis.contractParts.script.change(context.locals.session, context.request.url)
}

export const server = {
  byForm: defineAction({ accept: 'form', handler: change }),
  byCall: defineAction({ handler: change }),
}
