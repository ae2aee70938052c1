import { ConfigurationError } from '../../errors.ts'
import type { Command, Report } from '../command.ts'
import { withStore } from '../connect.ts'
import type { Input } from '../input.ts'
import { databaseOptions } from '../option-table.ts'
import { countOf, printable } from '../plain-text.ts'
import { destroyEverySession } from './destroy-all.ts'

export const destroy: Command = {
  summary: 'End one session, all of a user, all with a tag, or every session',
  args: {
    id: { type: 'positional', description: 'Id of the session to end' },
    user: { type: 'string', description: 'End all sessions of this user', valueHint: 'user' },
    tag: { type: 'string', description: 'End all sessions with this tag', valueHint: 'tag' },
    except: {
      type: 'string',
      description: 'With --user or --tag: ids of sessions to keep, separated by commas',
      valueHint: 'ids',
    },
    all: { type: 'boolean', description: 'End every session, in batches. Asks first' },
    yes: { type: 'boolean', description: 'With --all: do not ask' },
    'batch-size': {
      type: 'string',
      description: 'With --all: sessions to end in one transaction (default: 250)',
      valueHint: 'number',
    },
    ...databaseOptions,
  },
  async run(input) {
    const id = input.text('id')
    const user = input.text('user')
    const tag = input.text('tag')
    const except = input.text('except')
    const isAll = input.flag('all')
    const targets = [id !== undefined, user !== undefined, tag !== undefined, isAll].filter(Boolean)
    if (targets.length !== 1) {
      throw new ConfigurationError(
        'Name what to end: the id of one session, --user, --tag or --all, and only one of them.',
      )
    }
    if (!isAll && (input.has('yes') || input.has('batch-size'))) {
      throw new ConfigurationError('--yes and --batch-size go with --all. Leave them out.')
    }
    if (id !== undefined && except !== undefined) {
      throw new ConfigurationError(
        '--except goes with --user and --tag. Leave it out to end one session.',
      )
    }
    if (isAll && except !== undefined) {
      throw new ConfigurationError('--except goes with --user and --tag; --all spares no session.')
    }
    if (isAll) return destroyEverySession(input)
    const spared = except?.split(',').map(readId) ?? []
    if (user !== undefined) return destroyByUser(input, user, spared)
    if (tag !== undefined) return destroyByTag(input, tag, spared)
    return destroyOne(input, readId(id ?? ''))
  },
}

async function destroyOne(input: Input, id: string): Promise<Report> {
  const { status } = await withStore(input, (store) => store.destroy({ id }))
  const wasLive = status === 'ended'
  return {
    document: { destroyed: wasLive ? [id] : [] },
    lines: [wasLive ? `Ended session ${id}.` : `Session ${id} is not live. Nothing to end.`],
  }
}

async function destroyByUser(
  input: Input,
  user: string,
  except: readonly string[],
): Promise<Report> {
  const destroyed = await withStore(input, (store) => store.destroyByUser(user, except))
  return ended(destroyed, `of user ${printable(user)}`)
}

async function destroyByTag(input: Input, tag: string, except: readonly string[]): Promise<Report> {
  const destroyed = await withStore(input, (store) => store.destroyByTag(tag, except))
  return ended(
    destroyed.map(({ id }) => id),
    `with tag ${printable(tag)}`,
  )
}

function ended(destroyed: readonly string[], which: string): Report {
  const line = `Ended ${countOf(destroyed.length, 'session')} ${which}`
  return {
    document: { destroyed },
    lines: [destroyed.length === 0 ? `${line}.` : `${line}:`, ...destroyed],
  }
}

/** @throws {ConfigurationError} It is not a session's id. It may be a token, so it is not repeated. */
function readId(text: string): string {
  const id = text.trim().toLowerCase()
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return id
  throw new ConfigurationError(
    'That is not the id of a session. Copy it from `pg-sessions list`: 32 hexadecimal digits in five groups.',
  )
}
