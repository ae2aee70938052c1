/** Globals of Node that sessions use. esbuild puts this file before all others. */
import { Buffer } from 'buffer'

const { toString: write } = Buffer.prototype
const { from } = Buffer

// The package `buffer` does not know the name base64url, but reads it as base64.
function toStringAsNode(this: Buffer, encoding?: string, start?: number, end?: number): string {
  if (encoding !== 'base64url') return write.call(this, encoding as 'utf8', start, end)
  const text = write.call(this, 'base64', start, end)
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

Buffer.prototype.toString = toStringAsNode
Reflect.set(Buffer, 'from', (value: string, encoding?: string, length?: number) =>
  Reflect.apply(from, Buffer, [value, encoding === 'base64url' ? 'base64' : encoding, length]),
)

/** A timer as Node has it. It is a number all the same, so that `clearTimeout` takes it. */
class Timer extends Number {
  unref(): this {
    return this
  }
}

const {
  setTimeout: wait,
  setInterval: repeat,
  clearTimeout: endWait,
  clearInterval: endRepeat,
} = globalThis

Object.assign(globalThis, {
  Buffer,
  process: { env: {}, nextTick: queueMicrotask, emitWarning: console.warn },
  // A browser's functions refuse to be called as methods of anything but its window.
  setTimeout: (work: () => void, delay?: number) => new Timer(wait(work, delay)),
  setInterval: (work: () => void, delay?: number) => new Timer(repeat(work, delay)),
  clearTimeout: (timer?: number) => endWait(Number(timer)),
  clearInterval: (timer?: number) => endRepeat(Number(timer)),
  setImmediate: (work: () => void) => new Timer(wait(work, 0)),
  clearImmediate: (timer?: number) => endWait(Number(timer)),
})
