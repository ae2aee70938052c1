import type { RequestEvent } from '@sveltejs/kit'
import { redirect } from '@sveltejs/kit'

export async function load({ locals: { session } }: RequestEvent) {
  await session.load()
  return { name: session.userId ?? 'stranger', clicks: session.data.clicks ?? 0 }
}

export const actions = {
  async click({ locals }: RequestEvent) {
    await locals.session.update('clicks', (clicks = 0) => clicks + 1)
    redirect(303, '/')
  },
  async login({ locals }: RequestEvent) {
    await locals.session.signIn('ann') // after you have checked the password
    redirect(303, '/')
  },
  async logout({ locals }: RequestEvent) {
    await locals.session.signOut()
    redirect(303, '/')
  },
}
