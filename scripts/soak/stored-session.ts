import { Client } from 'pg'

/** Describes a session as it is in the database, for a violation. Never rejects: a fault may have struck the server. */
export async function describeStored(url: string, id: string | null): Promise<string> {
  if (id === null) return 'in the database: not known which session it is'
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query(
      `select s.user_id, s.sign_ins, s.tags, s.device, s.elevated_at, s.token_issued_at, s.previous_until, s.last_access_at,
        s.expires_at, now() as now, (
          select json_object_agg(convert_from(key, 'UTF8'), case
            when get_byte(value, 0) = 0 then to_jsonb('sealed'::text)
            else convert_from(value, 'UTF8')::jsonb -> 'n'
          end)
          from sessions.session_data where session_id = s.id
        ) as entries
       from sessions.session as s where s.id = $1`,
      [id],
    )
    return `in the database: ${rows.length === 0 ? `no session ${id}` : JSON.stringify({ id, ...rows[0] })}`
  } catch (error) {
    return `the database could not be asked for session ${id}: ${String(error)}`
  } finally {
    await client.end().catch(() => {})
  }
}
