export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return
  const { sessions } = await import('./session')
  sessions.startPurger()
}
