import { ConfigurationError } from '../../errors.ts'
import type { Command, Report } from '../command.ts'
import { withStore } from '../connect.ts'
import type { Input } from '../input.ts'
import { databaseOptions } from '../option-table.ts'
import { countOf, printable } from '../plain-text.ts'

export const destroy: Command = {
  summary: 'End one session, or all sessions of a user. Asks nothing',
  args: {
    id: { type: 'positional', description: 'Id of the session to end' },
    user: { type: 'string', description: 'End all sessions of this user', valueHint: 'user' },
    except: {
      type: 'string',
      description: 'With --user: ids to spare, separated by commas',
      valueHint: 'ids',
    },
    ...databaseOptions,
  },
  async run(input) {
    const id = input.text('id')
    const user = input.text('user')
    const except = input.text('except')
    if ((id === undefined) === (user === undefined)) {
      throw new ConfigurationError(
        'What to end is not clear. Write either the id of one session or --user, to end all of a user.',
      )
    }
    if (id !== undefined && except !== undefined) {
      throw new ConfigurationError('--except goes with --user. Leave it out to end one session.')
    }
    return user === undefined
      ? destroyOne(input, readId(id ?? ''))
      : destroyByUser(input, user, except?.split(',').map(readId) ?? [])
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
  const line = `Ended ${countOf(destroyed.length, 'session')} of user ${printable(user)}`
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
