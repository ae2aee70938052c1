import { deviceLabel } from 'pg-sessions/user-agent'
import { expect, test } from 'vitest'

const WEBKIT = 'AppleWebKit/537.36 (KHTML, like Gecko)'

test.each([
  [
    'Firefox on Windows',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0',
  ],
  [
    'Safari on iOS',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1',
  ],
  [
    'Chrome on Android',
    `Mozilla/5.0 (Linux; Android 14; Pixel 8) ${WEBKIT} Chrome/130.0.0.0 Mobile Safari/537.36`,
  ],
  [
    'Microsoft Edge on Linux',
    `Mozilla/5.0 (X11; Linux x86_64) ${WEBKIT} Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0`,
  ],
])('names a browser and its system, without versions: %s', (label, userAgent) => {
  expect(deviceLabel(userAgent)).toBe(label)
})

test.each([undefined, null, '', 'x'.repeat(100_000), '<script>alert(1)</script>/1.0', 'a\nb/1.0'])(
  'gives no label for what names no browser',
  (userAgent) => {
    expect(deviceLabel(userAgent)).toBeNull()
  },
)
