import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { ConfigurationError } from '../errors.ts'

/** What `pg` takes as `ssl`. */
export type TlsSettings =
  | false
  | {
      readonly rejectUnauthorized: boolean
      readonly servername?: string
      readonly ca?: string
      readonly cert?: string
      readonly key?: string
      readonly checkServerIdentity?: () => undefined
    }

/**
 * TLS as libpq's variables ask for it. `pg` itself reads `PGSSLMODE` only, and verifies the server's
 * certificate where libpq does not.
 *
 * @throws {ConfigurationError} If the mode is unknown, or a file cannot be read.
 * @see https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION
 */
export function tlsFromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  servername: string | undefined,
): { readonly ssl: TlsSettings; readonly isOptional: boolean } {
  const { PGSSLMODE, PGSSLROOTCERT, PGSSLCERT, PGSSLKEY } = environment
  const mode = PGSSLMODE || 'prefer'
  const isOptional = mode === 'prefer'
  const own = {
    ...(servername === undefined ? {} : { servername }),
    ...(PGSSLCERT ? { cert: read('PGSSLCERT', PGSSLCERT) } : {}),
    ...(PGSSLKEY ? { key: read('PGSSLKEY', PGSSLKEY) } : {}),
  }
  const unnamed = { checkServerIdentity: () => undefined }
  switch (mode) {
    case 'disable':
    case 'allow':
      return { ssl: false, isOptional }
    case 'prefer':
      return { ssl: { ...own, rejectUnauthorized: false }, isOptional }
    case 'require':
      // With a root certificate libpq verifies, for compatibility with its early versions.
      if (!PGSSLROOTCERT) return { ssl: { ...own, rejectUnauthorized: false }, isOptional }
      return { ssl: { ...own, ...unnamed, ...root(PGSSLROOTCERT) }, isOptional }
    case 'verify-ca':
      return { ssl: { ...own, ...unnamed, ...root(PGSSLROOTCERT) }, isOptional }
    case 'verify-full':
      return { ssl: { ...own, ...root(PGSSLROOTCERT) }, isOptional }
    default:
      throw new ConfigurationError(
        'PGSSLMODE must be disable, allow, prefer, require, verify-ca or verify-full.',
      )
  }
}

function root(file: string | undefined): {
  readonly rejectUnauthorized: true
  readonly ca?: string
} {
  if (file === 'system') return { rejectUnauthorized: true }
  const path = file || join(homedir(), '.postgresql', 'root.crt')
  return { rejectUnauthorized: true, ca: read('PGSSLROOTCERT', path) }
}

function read(variable: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new ConfigurationError(
      `The file of ${variable} cannot be read: ${path}. Correct ${variable}.`,
    )
  }
}
