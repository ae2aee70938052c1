import { setFlagsFromString } from 'node:v8'
import express from 'express'
import { expressSessions } from 'pg-sessions/express'
import { expect, test } from 'vitest'
import { askOnce } from './listen.ts'
import { memorySessions } from './memory-sessions.ts'

setFlagsFromString('--allow-natives-syntax')
const isInDictionary = new Function('object', 'return !%HasFastProperties(object)') as (
  object: object,
) => boolean

// Where shapes are shared again, there is nothing to gain.
const hasUnsharedShapes = Number.parseInt(process.versions.v8, 10) < 13

test('on Node 20 and 22, requests and responses of Express take properties at the cost of a dictionary', async () => {
  const app = express()
  const seen: unknown[] = []
  app.use((req, res, next) => {
    seen.push(isInDictionary(req), isInDictionary(res))
    next()
  })
  app.use(expressSessions(memorySessions()))
  app.use((req, res) => {
    seen.push(isInDictionary(req), isInDictionary(res))
    res.end()
  })
  await askOnce(app)
  const [requestBefore, responseBefore, requestAfter, responseAfter] = seen
  expect([requestBefore, responseBefore]).toEqual([false, false])
  expect([requestAfter, responseAfter]).toEqual([hasUnsharedShapes, hasUnsharedShapes])
})
