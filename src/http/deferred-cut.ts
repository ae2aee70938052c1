import type { ServerResponse } from 'node:http'
import { type Method, Overlay } from './overlay.ts'

/** A connection that is not cut before its response has left. */
export interface DeferredCut {
  /** Cuts the connection once the response is out, if anybody has asked for it meanwhile. */
  perform(): void
}

/**
 * Puts off that the connection of an ended response is cut. Express cuts it when a handler throws after it
 * has answered: by then a response that is not held is out, while a held one still waits for its save.
 *
 * A socket that fails, or closes because its client hung up, is destroyed at once.
 */
export function deferCut(response: ServerResponse): DeferredCut | undefined {
  const { socket, httpVersionMajor } = response.req
  if (httpVersionMajor !== 1) return undefined
  const overlay = new Overlay(socket)
  const destroy = socket.destroy as Method
  let isAsked = false
  overlay.method('destroy', (...args) => {
    const isClosing = socket.writableEnded || socket.readableEnded
    if (args[0] || isClosing) return Reflect.apply(destroy, socket, args)
    isAsked = true
    return socket
  })
  return {
    perform() {
      overlay.lift()
      if (!isAsked) return
      if (response.writableFinished || response.destroyed) socket.destroy()
      else response.once('finish', () => socket.destroy())
    },
  }
}
