import { defineHandler, redirect } from 'nitro/h3'

export default defineHandler(async ({ context: { session } }) => {
  await session.update('clicks', (clicks = 0) => clicks + 1)
  return redirect('/')
})
