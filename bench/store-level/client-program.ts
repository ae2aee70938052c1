/** A client of one store, in a process of its own. */
import { Client } from 'pg'
import { type Visitor, visitor, visitorOrder } from '../data/visitors.ts'
import { offer } from '../measure/program.ts'
import { type Round, type RoundOrder, runRound } from '../measure/round.ts'
import {
  type Contender,
  forEach,
  OPERATIONS,
  type OpenContender,
  type Operation,
  type OperationName,
  type Servers,
} from './contender.ts'
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
  'connect-redis (redis 5)': openConnectRedis(5),
  'connect-redis (redis 6)': openConnectRedis(6),
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

  /** Lets the compiler see every kind of call often before any counts. */
  async warmUp({ calls, milliseconds }: WarmUp): Promise<void> {
    for (const operation of OPERATIONS) {
      if (contender.operations[operation] === undefined) continue
      await makeReady({ operation })
      await measureRound({ operation, atATime: 16, milliseconds, mostCalls: calls })
      await makeReady({ operation })
      await measureRound({ operation, atATime: 1, milliseconds, mostCalls: calls / 10 })
    }
  },

  makeReady,

  round: measureRound,
}

interface WarmUp {
  readonly calls: number
  /** Ends it early. */
  readonly milliseconds: number
}

/** Makes what a round is going to use up, since that must not count. */
async function makeReady({ operation }: { readonly operation: OperationName }): Promise<void> {
  if (operation !== 'first save' && operation !== 'destroy') return
  while (newcomers.length < 10_000) newcomers.push(visitor(nextNewcomer++))
  if (operation !== 'destroy') return
  const enter = contender.operations['first save'] as Operation
  const wanting = newcomers.splice(0, Math.max(0, MOST_LEAVERS - leavers.length))
  await forEach(wanting, enter)
  leavers.push(...wanting)
}

/** Sessions that a round can destroy at most. */
const MOST_LEAVERS = 1000

interface OperationOrder extends Omit<RoundOrder, 'settle'> {
  readonly operation: OperationName
}

async function measureRound(order: OperationOrder): Promise<StoreRound> {
  const operation = contender.operations[order.operation]
  if (operation === undefined) throw new Error(`There is no ${order.operation} here.`)
  const choose = chooser(order.operation)
  const mostCalls = order.operation === 'destroy' ? leavers.length : order.mostCalls
  const before = statements
  const settle = contender.settle
  const round = await runRound(() => operation(choose()), { ...order, mostCalls, settle })
  return { ...round, statements: statements - before }
}

/** Whose session the next call is about. */
function chooser(operation: OperationName): () => Visitor {
  if (operation === 'destroy') return () => leavers.pop() as Visitor
  if (operation === 'first save') {
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
