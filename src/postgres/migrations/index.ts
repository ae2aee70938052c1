import { createSessions } from './0001-create-sessions.ts'
import { addDevice } from './0002-add-device.ts'
import type { Migration } from './migration.ts'

/** All migrations, the oldest first. New ones are added at the end and none is ever changed. */
export const migrations: readonly Migration[] = [createSessions, addDevice]

export type { Migration } from './migration.ts'
