/**
 * The life cycle of one request, for authors of adapters.
 *
 * @module
 */
export type {
  Exchange,
  ExchangeLink,
  ResponseLink,
  ResponsePhase,
  SessionOpener,
} from './exchange.ts'
export type { ResponseHeaders } from './response-headers.ts'
