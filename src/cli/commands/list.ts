import { checkSchema } from '../../postgres/migrate.ts'
import { type ListedSession, readNewestSessions } from '../../postgres/store-status.ts'
import { decodeDevice } from '../../session/device.ts'
import type { Command } from '../command.ts'
import { withDatabase, withStore } from '../connect.ts'
import type { Input } from '../input.ts'
import { databaseOptions } from '../option-table.ts'
import { formatTime, jsonTime, textTable } from '../plain-text.ts'

export const list: Command = {
  summary: 'List live sessions, the newest first',
  args: {
    user: {
      type: 'string',
      description: 'Only sessions of this user, the most recently used first',
      valueHint: 'user',
    },
    tag: {
      type: 'string',
      description: 'Only sessions with this tag, the most recently used first',
      valueHint: 'tag',
    },
    limit: {
      type: 'string',
      description: 'How many sessions to list at most (default: 50)',
      valueHint: 'number',
    },
    ...databaseOptions,
  },
  async run(input) {
    const limit = input.count('limit', 50, 100_000)
    const sessions = await readSessions(input, limit)
    return { document: { sessions: sessions.map(documentOf) }, lines: linesOf(sessions, limit) }
  },
}

async function readSessions(input: Input, limit: number): Promise<readonly ListedSession[]> {
  const user = input.text('user')
  const tag = input.text('tag')
  if (user !== undefined || tag !== undefined) {
    return withStore(input, async (store) => {
      const found =
        user === undefined ? await store.listByTag(tag ?? '') : await store.listByUser(user)
      const isMeant = ({ tags = [] }: ListedSession): boolean =>
        tag === undefined || tags.includes(tag)
      return found.filter(isMeant).slice(0, limit)
    })
  }
  const { names, timeout } = input
  return withDatabase(input, async (driver) => {
    await checkSchema(driver, names, { timeout })
    return readNewestSessions(driver, names, limit, { timeout })
  })
}

/** Field by field, so that nothing else of a session can ever slip in. */
function documentOf(session: ListedSession): object {
  return {
    id: session.id,
    userId: session.userId,
    actor: session.actor?.userId ?? null,
    createdAt: jsonTime(session.createdAt),
    lastAccessAt: jsonTime(session.lastAccessAt),
    expiresAt: jsonTime(session.expiresAt),
    device: decodeDevice(session.device),
    tags: session.tags ?? [],
  }
}

function userOf({ userId, actor }: ListedSession): string {
  return actor === undefined ? (userId ?? '-') : `${userId} (by ${actor.userId})`
}

function linesOf(sessions: readonly ListedSession[], limit: number): readonly string[] {
  if (sessions.length === 0) return ['No live sessions.']
  const rows = sessions.map((session) => [
    session.id,
    userOf(session),
    formatTime(session.createdAt),
    formatTime(session.lastAccessAt),
    formatTime(session.expiresAt),
    decodeDevice(session.device)?.label ?? '-',
    session.tags?.join(', ') ?? '-',
  ])
  const table = textTable(
    ['ID', 'USER', 'CREATED', 'LAST ACCESS', 'EXPIRES', 'DEVICE', 'TAGS'],
    rows,
  )
  if (sessions.length < limit) return table
  return [...table, `The first ${limit}; there may be more (--limit).`]
}
