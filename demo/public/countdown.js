/** Counts down the time that is left. The page works without it. */
const loadedAt = performance.now()
const clocks = [...document.querySelectorAll('[data-seconds-left]')].map((element) => ({
  secondsLeft: Number(element.dataset.secondsLeft),
  clock: element.querySelector('.clock'),
  progress: element.querySelector('progress'),
}))

function tick() {
  const passed = (performance.now() - loadedAt) / 1000
  for (const { secondsLeft, clock, progress } of clocks) {
    const left = Math.max(0, Math.floor(secondsLeft - passed))
    clock.textContent = left === 0 ? 'over' : clockText(left)
    progress.value = left
  }
}

/** 14:59, 11:59:59, 29 d 23:59:59 */
function clockText(seconds) {
  const [days, hours] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24]
  const minutesAndSeconds = [Math.floor(seconds / 60) % 60, seconds % 60]
  const parts = seconds >= 3600 ? [hours, ...minutesAndSeconds] : minutesAndSeconds
  const clock = parts.map((part) => String(part).padStart(2, '0')).join(':')
  return days > 0 ? `${days} d ${clock}` : clock
}

if (clocks.length > 0) {
  tick()
  setInterval(tick, 1000)
}
