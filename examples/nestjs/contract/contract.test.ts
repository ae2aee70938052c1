import { describe, it } from 'node:test'
import { adapterContract } from 'pg-sessions/testing'
import { openOnExpress, openOnFastify } from './application.ts'

// What a guard of NestJS refuses is an exception, and a redirect is up to the application's filter.
const traits = { redirects: false }

describe('NestJS on Express', () => adapterContract({ describe, it }, openOnExpress, traits))

describe('NestJS on Fastify', () => adapterContract({ describe, it }, openOnFastify, traits))
