import { defineHandler, redirect } from 'nitro/h3'

export default defineHandler(async ({ context: { session } }) => {
  await session.signOut()
  return redirect('/')
})
