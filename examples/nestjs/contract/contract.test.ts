import { describe, it } from 'node:test'
import { adapterContract } from 'pg-sessions/testing'
import { openOnExpress, openOnFastify } from './application.ts'

describe('NestJS on Express', () => adapterContract({ describe, it }, openOnExpress))

describe('NestJS on Fastify', () => adapterContract({ describe, it }, openOnFastify))
