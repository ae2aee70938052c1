/** A client of stores, in a process of its own. */
import { Client } from 'pg'
import { type Visitor, visitor, visitorOrder } from '../data/visitors.ts'
import { offer } from '../measure/program.ts'
import { type Round, type RoundOrder, runRound } from '../measure/round.ts'
import {
  type Contender,
  type Dataset,
  forEach,
  OPERATIONS,
  type OpenContender,
  type Operation,
  type OperationName,
  type Servers,
} from './contender.ts'
import { openBareSelect, openBareSelectOfOneRow } from './contenders/bare-select.ts'
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
  'connect-redis (redis 5, durable)': openConnectRedis(5, 'durableRedis'),
  'connect-redis (redis 6)': openConnectRedis(6),
  'bare select': openBareSelect,
  'bare select of one row': openBareSelectOfOneRow,
  'express-session MemoryStore': openExpressMemory,
  'pg-sessions MemoryStore': openNativeMemory,
} as const satisfies Record<string, OpenContender>

export type ContenderName = keyof typeof CONTENDERS

export interface StoreRound extends Round {
  /** Statements that were sent to PostgreSQL. */
  readonly statements: number
}

interface Opened {
  readonly contender: Contender
  readonly visitors: readonly Visitor[]
  /** Whose first save is to come. */
  readonly newcomers: Visitor[]
  nextNewcomer: number
  /** Whose sessions are there to be destroyed. */
  readonly leavers: Visitor[]
}

interface OpenOrder {
  readonly contender: ContenderName
  readonly servers: Servers
  readonly dataset: Dataset
  /** How many of them calls are about, taken evenly from the whole population. */
  readonly visitors: number
  readonly population: number
  /** Whether the sessions are to be made; otherwise they are there, or will be before the first call. */
  readonly fill: boolean
}

interface RoundOfOperation extends Omit<RoundOrder, 'settle'> {
  readonly dataset: string
  readonly operation: OperationName
}

interface WarmUp {
  readonly dataset: string
  readonly operations?: readonly OperationName[]
  readonly calls: number
  /** Ends it early. */
  readonly milliseconds: number
}

/** Sessions that a round can begin or destroy at most before it has to make them itself. */
const MOST_NEWCOMERS = 10_000
const MOST_LEAVERS = 1000

const opened = new Map<string, Opened>()
let seed = 0
let statements = 0

const tasks = {
  async open(order: OpenOrder): Promise<void> {
    const { visitors: count, population, dataset, servers } = order
    const visitors = Array.from({ length: count }, (_, index) =>
      visitor(Math.floor((index * population) / count)),
    )
    const contender = await CONTENDERS[order.contender](servers, dataset)
    const enter = contender.operations['first save']
    if (order.fill && enter !== undefined) await forEach(visitors, enter)
    const newcomers: Visitor[] = []
    const leavers: Visitor[] = []
    opened.set(dataset.name, {
      ...{ contender, visitors, newcomers, leavers, nextNewcomer: population },
    })
  },

  /** Lets the compiler see every kind of call often before any counts. */
  async warmUp(order: WarmUp): Promise<void> {
    const { dataset, operations = OPERATIONS, calls, milliseconds } = order
    for (const operation of operations) {
      if (find(dataset).contender.operations[operation] === undefined) continue
      await makeReady({ dataset, operation })
      const common = { dataset, operation, milliseconds }
      await measureRound({ ...common, atATime: 16, mostCalls: calls })
      await makeReady({ dataset, operation })
      await measureRound({ ...common, atATime: 1, mostCalls: calls / 10 })
    }
  },

  /**
   * Lets every visitor change their session once, so that no change that counts is the first of its page
   * after a checkpoint, which writes the whole page to the WAL.
   */
  async visitAll(dataset: string): Promise<void> {
    const { contender, visitors } = find(dataset)
    for (const name of ['touch', 'save'] as const) {
      await forEach(visitors, contender.operations[name] as Operation)
    }
  },

  makeReady,
  round: measureRound,
}

function find(dataset: string): Opened {
  const found = opened.get(dataset)
  if (found === undefined) throw new Error(`There is no dataset ${dataset} here.`)
  return found
}

/** Makes what a round is going to use up, since that must not count. */
async function makeReady(order: {
  readonly dataset: string
  readonly operation: OperationName
}): Promise<void> {
  const { operation } = order
  if (operation !== 'first save' && operation !== 'destroy') return
  const place = find(order.dataset)
  const { newcomers, leavers, contender } = place
  while (newcomers.length < MOST_NEWCOMERS) newcomers.push(visitor(place.nextNewcomer++))
  if (operation === 'first save') return
  const wanting = newcomers.splice(0, Math.max(0, MOST_LEAVERS - leavers.length))
  await forEach(wanting, contender.operations['first save'] as Operation)
  leavers.push(...wanting)
}

async function measureRound(order: RoundOfOperation): Promise<StoreRound> {
  const place = find(order.dataset)
  const { settle, operations } = place.contender
  const operation = operations[order.operation]
  if (operation === undefined) throw new Error(`There is no ${order.operation} here.`)
  const choose = chooser(place, order.operation)
  const mostCalls = order.operation === 'destroy' ? place.leavers.length : order.mostCalls
  const before = statements
  const round = await runRound(() => operation(choose()), { ...order, mostCalls, settle })
  return { ...round, statements: statements - before }
}

/** Whose session the next call is about. */
function chooser(place: Opened, operation: OperationName): () => Visitor {
  const { visitors, newcomers, leavers } = place
  if (operation === 'destroy') return () => leavers.pop() as Visitor
  if (operation === 'first save') {
    return () => {
      const newcomer = newcomers.pop() ?? visitor(place.nextNewcomer++)
      leavers.push(newcomer)
      return newcomer
    }
  }
  const next = visitorOrder(visitors.length, ++seed)
  return () => visitors[next()] as Visitor
}

/** Counts everything that is sent. */
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
