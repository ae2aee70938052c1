/** A client of one store, in a process of its own. */
import { Client } from 'pg'
import { type Visitor, visitor, visitorOrder } from '../data/visitors.ts'
import { offer } from '../measure/program.ts'
import { type Round, type RoundOrder, runRound } from '../measure/round.ts'
import type { Contender, OpenContender, OperationName, Servers } from './contender.ts'
import { openBareSelect } from './contenders/bare-select.ts'
import {
  openConnectPgSimple,
  openConnectRedis,
  openExpressMemory,
} from './contenders/express-session-stores.ts'
import { openNative, openNativeMemory } from './contenders/native.ts'

const CONTENDERS = {
  'pg-sessions': openNative(true),
  'pg-sessions, unshared': openNative(false),
  'connect-pg-simple': openConnectPgSimple,
  'connect-redis': openConnectRedis,
  'bare select': openBareSelect('two tables'),
  'bare select of one row': openBareSelect('one row'),
  'express-session MemoryStore': openExpressMemory,
  'pg-sessions MemoryStore': openNativeMemory,
} as const satisfies Record<string, OpenContender>

export type ContenderName = keyof typeof CONTENDERS

export interface StoreRound extends Round {
  /** Statements that were sent to PostgreSQL. */
  readonly statements: number
}

let contender: Contender
let visitors: readonly Visitor[] = []
const newcomers: Visitor[] = []
const leavers: Visitor[] = []
let nextNewcomer = 0
let seed = 0
let statements = 0

const tasks = {
  async open(order: {
    readonly name: ContenderName
    readonly servers: Servers
    readonly visitors: number
  }): Promise<void> {
    visitors = Array.from({ length: order.visitors }, (_, index) => visitor(index))
    nextNewcomer = order.visitors
    contender = await CONTENDERS[order.name](order.servers, visitors)
  },

  async round(
    order: Omit<RoundOrder, 'settle'> & { readonly operation: OperationName },
  ): Promise<StoreRound> {
    const operation = contender.operations[order.operation]
    if (operation === undefined) throw new Error(`There is no ${order.operation} here.`)
    const choose = chooser(order.operation)
    const limit = order.operation === 'destroy' ? { mostCalls: leavers.length } : {}
    const before = statements
    const settle = contender.settle
    const round = await runRound(() => operation(choose()), { ...order, ...limit, settle })
    return { ...round, statements: statements - before }
  },
}

/** Whose session the next call is about. */
function chooser(operation: OperationName): () => Visitor {
  if (operation === 'destroy') return () => leavers.pop() as Visitor
  if (operation === 'first save') {
    while (newcomers.length < 10_000) newcomers.push(visitor(nextNewcomer++))
    return () => {
      const newcomer = newcomers.pop() ?? visitor(nextNewcomer++)
      leavers.push(newcomer)
      return newcomer
    }
  }
  const next = visitorOrder(visitors.length, ++seed)
  return () => visitors[next()] as Visitor
}

/** Counts what is sent, whoever sends it. */
function countStatements(): void {
  const prototype = Client.prototype as unknown as { query: (...args: unknown[]) => unknown }
  const { query } = prototype
  prototype.query = function (this: unknown, ...args: unknown[]) {
    statements++
    return query.apply(this, args)
  }
}

export type StoreTasks = typeof tasks

countStatements()
offer(tasks)
