/** How often to look whether npm is still there, in milliseconds. */
const INTERVAL = 500

/** Calls `stop` once, when Ctrl-C is pressed or this process is asked to end. */
export function onStopSignal(stop: () => Promise<void>): void {
  let isStopping = false
  const stopOnce = (): void => {
    if (isStopping) return
    isStopping = true
    stop().catch((error: unknown) => {
      console.error(error)
      process.exit(1)
    })
  }
  process.on('SIGINT', stopOnce)
  process.on('SIGTERM', stopOnce)
  if (process.env.npm_lifecycle_event !== undefined) onParentGone(stopOnce)
}

/** `kill` of npm ends npm and its shell, which tell no other process; but this process then has another parent. */
function onParentGone(stop: () => void): void {
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid !== parent) stop()
  }, INTERVAL)
  watch.unref()
}
