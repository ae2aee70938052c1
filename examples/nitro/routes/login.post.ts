import { defineHandler, redirect } from 'nitro/h3'

export default defineHandler(async ({ context: { session } }) => {
  await session.signIn('ann') // after you have checked the password
  return redirect('/')
})
