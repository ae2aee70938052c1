/** Where the server of a connection string listens. */
export function addressOf(databaseUrl: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(databaseUrl)
  return { host: hostname, port: Number(port || 5432) }
}

/** The same database, user and password by way of another address. */
export function at(databaseUrl: string, host: string, port: number): string {
  const url = new URL(databaseUrl)
  url.hostname = host
  url.port = String(port)
  return url.href
}
