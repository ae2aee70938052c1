import { expect, test } from 'vitest'
import { hasStood } from '../../src/haskell/standing-flags.ts'

test('a flag stands from the first time that it is seen', () => {
  expect(hasStood('flag', 1000, 500)).toBe(false)
  expect(hasStood('flag', 1499, 500)).toBe(false)
  expect(hasStood('another flag', 1500, 500)).toBe(false)
  expect(hasStood('flag', 1500, 500)).toBe(true)
})

test('of more flags than a process remembers, those read longest ago count as seen for the first time', () => {
  hasStood('kept', 0, 500)
  hasStood('evicted', 0, 500)
  for (let n = 0; n < 4095; n += 1) {
    hasStood(`flag ${n}`, 0, 500)
    if (n % 1000 === 0) hasStood('kept', 0, 500)
  }
  expect(hasStood('kept', 1000, 500)).toBe(true)
  expect(hasStood('evicted', 1000, 500)).toBe(false)
})
