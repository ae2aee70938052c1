import type { Finding } from './finding.ts'
import type { PurgeFacts, ServerFacts } from './read-server.ts'

const MINUTE = 60
const DAY = 24 * 60 * MINUTE
const LONG_TRANSACTION = 10 * MINUTE
const OLDEST_VERSION = 140_000

/** Judges what was read of the server, without asking it. `now` is this machine's time in milliseconds. */
export function serverFindings(server: ServerFacts, purge: PurgeFacts, now: number): Finding[] {
  const findings: Finding[] = []
  const find = (
    severity: Finding['severity'],
    code: string,
    what: string,
    effect: string,
    remedy: string,
  ): void => {
    findings.push({ code, severity, what, effect, remedy })
  }
  if (server.version < OLDEST_VERSION) {
    find(
      'error',
      'old-server',
      `The server is PostgreSQL ${Math.floor(server.version / 10_000)}.`,
      'pg-sessions is tested with PostgreSQL 14 to 18; statements may be refused.',
      'Upgrade the server.',
    )
  }
  if (server.encoding !== 'UTF8') {
    find(
      'warning',
      'encoding',
      `The database is encoded as ${server.encoding}.`,
      'User ids that it cannot express are refused: these users cannot sign in.',
      "Move to a database that was created with encoding 'UTF8'.",
    )
  }
  if (!server.fsync) {
    find(
      'error',
      'fsync-off',
      'fsync is off.',
      'A crash of the machine can destroy the whole database.',
      'Set fsync = on in postgresql.conf.',
    )
  }
  if (server.synchronousCommit === 'off') {
    find(
      'warning',
      'synchronous-commit-off',
      'synchronous_commit is off.',
      'A crash loses what was answered as saved in the last moments before: also a sign-out.',
      'Set synchronous_commit = on for the role of the application.',
    )
  }
  if (server.connections >= 0.9 * server.maxConnections) {
    find(
      'warning',
      'connections-nearly-used-up',
      `${server.connections} of ${server.maxConnections} connections are in use.`,
      'When none is left, requests that use a session fail with 503.',
      'Lower max of the pools (processes × max), or put a pooler in front.',
    )
  }
  if (server.notifyQueue > 0.5) {
    find(
      'warning',
      'notify-queue-full',
      `The queue of notifications is ${Math.round(server.notifyQueue * 100)} % full.`,
      'When it is full, transactions that notify fail; ends of sessions are then announced late.',
      'Find the connection that listens and stays in a transaction, in pg_stat_activity, and end it.',
    )
  }
  if ((server.oldestTransaction ?? 0) > LONG_TRANSACTION) {
    find(
      'warning',
      'long-transaction',
      `Process ${server.oldestPid} has kept a transaction open for ${minutes(server.oldestTransaction)}.`,
      'Vacuum can remove nothing that has died since, so tables grow and requests become slower.',
      `select pg_terminate_backend(${server.oldestPid}); and set idle_in_transaction_session_timeout.`,
    )
  }
  if ((server.oldestPrepared ?? 0) > LONG_TRANSACTION) {
    find(
      'warning',
      'prepared-transaction',
      `A prepared transaction has waited for ${minutes(server.oldestPrepared)}.`,
      'Its locks stay, and vacuum can remove nothing that has died since.',
      "select gid from pg_prepared_xacts; then commit prepared or rollback prepared '<gid>';",
    )
  }
  if (server.idleSlots.length > 0) {
    find(
      'warning',
      'idle-replication-slot',
      `Nothing reads the replication slot ${server.idleSlots.join(', ')}.`,
      'The server keeps its log, and for some slots dead rows, until the disk is full; then no request can save.',
      `Start its reader again, or: select pg_drop_replication_slot('${server.idleSlots[0]}');`,
    )
  }
  if (purge.overdue > DAY) {
    find(
      'warning',
      'purge-overdue',
      `A session has been due for purge for ${minutes(purge.overdue)}.`,
      'No process purges, or it fails. Expired sessions are refused all the same, but the tables grow.',
      'Call sessions.startPurger() in the application, or run npx pg-sessions purge now.',
    )
  }
  const difference = Math.round((server.time - now) / 1000)
  if (Math.abs(difference) > 5) {
    find(
      'note',
      'clocks-differ',
      `The server's clock is ${Math.abs(difference)} s ${difference > 0 ? 'ahead of' : 'behind'} this machine's.`,
      'Timeouts go by the server’s clock, so sessions work; times in logs do not match.',
      'Let both machines follow the same time service.',
    )
  }
  return findings
}

function minutes(seconds: number | null): string {
  const whole = Math.round((seconds ?? 0) / MINUTE)
  if (whole < 120) return `${whole} minutes`
  return whole < 2 * 24 * 60
    ? `${Math.round(whole / 60)} hours`
    : `${Math.round(whole / 1440)} days`
}
