/** What each statement of the store does, in the visitor's words. */
const NAMES: Readonly<Record<string, string>> = {
  load: 'read the session',
  load_many: 'read several sessions at once',
  fetch: 'read more of its data',
  create: 'begin a session',
  create_detailed: 'begin a session',
  create_many: 'begin several sessions at once',
  save: 'save changes',
  save_noted: 'save changes and note the visit',
  save_many: 'save changes of several requests at once',
  save_credentials: 'replace the token and save changes',
  save_credentials_many: 'replace several tokens and save changes',
  replace: 'end the session and begin a new one',
  update_absent: 'add a value if there is still none',
  update_present: 'change a value if it is still the same',
  update_removed: 'add a value again if it is still removed',
  take: 'read and remove a value',
  touch: 'note the visit',
  touch_many: 'note several visits at once',
  destroy: 'end the session',
  destroy_by_user: "end the user's sessions",
  end_acting: "end the acting session and renew the administrator's token",
  look_up: 'look up a session that is about to end',
  find_live: "check the administrator's session",
  describe: 'note the device',
  list_by_user: "list the user's sessions",
}

/** Names a statement of pg-sessions for people: `pg_sessions_load_0a1b2c3d` is `read the session`. */
export function statementName(name: string): string {
  const operation = name.replace(/^pg_sessions_(\w+)_[0-9a-f]{8}$/, '$1')
  return NAMES[operation] ?? operation.replaceAll('_', ' ')
}
