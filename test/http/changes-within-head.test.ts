import type { RequestListener, ServerResponse } from 'node:http'
import { nodeSessions } from 'pg-sessions/node'
import { describe, expect, it } from 'vitest'
import { beforeHead } from '../adapters/before-head.ts'
import { askOnce } from '../adapters/listen.ts'
import { memorySessions } from '../adapters/memory-sessions.ts'

/** Ways to send a response, whose head leaves by other methods of Node. */
const answers: Record<string, (response: ServerResponse) => unknown> = {
  'end(text)': (response) => response.end('done'),
  'write, end': (response) => {
    response.write('do')
    response.end('ne')
  },
  'writeHead, end': (response) => response.writeHead(200, { 'X-Mine': '1' }).end('done'),
  'writeHead with a list, end': (response) =>
    response.writeHead(200, 'Fine', ['X-Mine', '1']).end('done'),
  'writeHead with a list of pairs, end': (response) =>
    response.writeHead(200, [['X-Mine', '1']] as never).end('done'),
  'setHeader, writeHead, end': (response) => {
    response.setHeader('X-Other', '2')
    response.writeHead(200, { 'X-Mine': '1' }).end('done')
  },
  'flushHeaders, end': (response) => {
    response.flushHeaders()
    response.end('done')
  },
}

describe('a first value that a listener sets while the head is being written', () => {
  for (const [name, answer] of Object.entries(answers)) {
    for (const isUsedBefore of [false, true]) {
      it(`is saved, and its cookie sent: ${name}${isUsedBefore ? ', session used before' : ''}`, async () => {
        const sessions = memorySessions()
        const sessionOf = nodeSessions(sessions)
        const plain = await askOnce((_request, response) => answer(response))
        const listener: RequestListener = async (request, response) => {
          beforeHead(response, () => sessionOf(request, response).set('seen', true))
          if (isUsedBefore) await sessionOf(request, response).load()
          answer(response)
        }
        const { response, text } = await askOnce(listener)
        expect(text).toBe('done')
        const [line = ''] = response.headers.getSetCookie()
        const { session } = sessions.open(line.split(';')[0])
        expect(await session.get('seen')).toBe(true)
        expect(response.headers.get('cache-control')).toBe('no-store')
        const ours = ['set-cookie', 'cache-control', 'vary', 'date']
        const others = [...response.headers].filter(([field]) => !ours.includes(field))
        const before = [...plain.response.headers].filter(([field]) => !ours.includes(field))
        expect(others).toEqual(before)
        expect(response.statusText).toBe(plain.response.statusText)
      })
    }
  }
})

describe('a change that a listener makes while the head of a saved session is being written', () => {
  for (const [name, answer] of Object.entries(answers)) {
    it(`is saved before the head leaves: ${name}`, async () => {
      const sessions = memorySessions()
      const sessionOf = nodeSessions(sessions)
      let rotations = 0
      sessions.on('rotated', () => rotations++)
      const { response, text } = await askOnce(async (request, response) => {
        const session = sessionOf(request, response)
        beforeHead(response, () => {
          session.set('seen', true)
          session.rotate()
        })
        session.set('first', 1)
        await session.save()
        answer(response)
      })
      expect(text).toBe('done')
      expect(rotations).toBe(1)
      const { session } = sessions.open(response.headers.getSetCookie().at(-1)?.split(';')[0])
      expect(await session.get('first')).toBe(1)
      expect(await session.get('seen')).toBe(true)
      expect(response.headers.get('cache-control')).toBe('no-store')
    })
  }
})
