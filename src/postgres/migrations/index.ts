import { createSessions } from './0001-create-sessions.ts'
import { describeSignIns } from './0002-describe-sign-ins.ts'
import type { Migration } from './migration.ts'

/** All migrations, the oldest first. New ones are added at the end and none is ever changed. */
export const migrations: readonly Migration[] = [createSessions, describeSignIns]

export type { Migration } from './migration.ts'
