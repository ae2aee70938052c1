import type { RequestTarget } from '../session/response-link.ts'

/** The fields that say where a request came in. */
interface TargetFields {
  readonly host?: string | undefined
  /** The host over HTTP/2. */
  readonly ':authority'?: string | undefined
  readonly forwarded?: string | undefined
  readonly 'x-forwarded-proto'?: string | string[] | undefined
}

/** Where a request came in, by its own connection and by what a proxy says of its client. */
export function targetOf(fields: TargetFields, isEncrypted: boolean): RequestTarget {
  const { forwarded } = fields
  const host = fields.host ?? fields[':authority']
  const proto = fields['x-forwarded-proto']
  const isForwarded = proto !== undefined || forwarded !== undefined
  const saysHttps =
    /^\s*https\b/i.test(String(proto ?? '')) || /\bproto="?https\b/i.test(forwarded ?? '')
  return { host, isPlain: !isEncrypted && !isForwarded, isHttps: isEncrypted || saysHttps }
}
