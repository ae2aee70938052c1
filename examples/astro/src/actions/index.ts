import { defineAction } from 'astro:actions'

export const server = {
  click: defineAction({
    accept: 'form',
    async handler(_form, { locals }) {
      await locals.session.update('clicks', (clicks = 0) => clicks + 1)
    },
  }),
  login: defineAction({
    accept: 'form',
    async handler(_form, { locals }) {
      await locals.session.signIn('ann') // after you have checked the password
    },
  }),
  logout: defineAction({
    accept: 'form',
    async handler(_form, { locals }) {
      await locals.session.signOut()
    },
  }),
}
