import type { CanActivate, ExecutionContext } from '@nestjs/common'
import { ConfigurationError } from '../../errors.ts'
import { type CrossSiteOptions, crossSiteGuard } from '../../http/guards/cross-site.ts'
import { elevatedGuard, freshGuard } from '../../http/guards/fresh.ts'
import { nodeRequest } from '../../http/guards/node-guard.ts'
import type { RequestGuard } from '../../http/guards/request-guard.ts'
import type { Duration } from '../../options/duration.ts'

export type { CrossSiteOptions }

/**
 * Makes a guard that lets a request through if its user signed in at most this long ago, by the database's clock:
 * for routes that change a password, an address or a payment.
 *
 * Otherwise the error goes to the exception filters, where a redirect is yours to make: 401 if no user is signed in, 403 if the sign-in is too old.
 *
 * @throws {ConfigurationError} The duration or an option is wrong.
 * @see OWASP ASVS 5.0, 7.5.1.
 * @example
 * ```ts
 * import { Controller, Post, UseGuards } from '@nestjs/common'
 * import { requireFresh } from 'pg-sessions/nestjs'
 *
 * @Controller()
 * export class PasswordController {
 *   @Post('password')
 *   @UseGuards(requireFresh('5m'))
 *   change() {}
 * }
 * ```
 */
export function requireFresh(within: Duration, ...none: never[]): CanActivate {
  refuseOptions('requireFresh', 'NotFreshError', none)
  return guarded(freshGuard(within))
}

/**
 * Makes a guard that lets a request through if its user proved a second factor at most this long ago, by the database's clock:
 * for the most sensitive routes.
 *
 * Otherwise the error goes to the exception filters, where a redirect is yours to make: 401 if no user is signed in, 403 if the factor is missing or too old.
 *
 * @throws {ConfigurationError} The duration or an option is wrong.
 * @see OWASP ASVS 5.0, 7.5.3.
 * @example
 * ```ts
 * import { Controller, Post, UseGuards } from '@nestjs/common'
 * import { requireElevated } from 'pg-sessions/nestjs'
 *
 * @Controller()
 * export class PayoutController {
 *   @Post('payout')
 *   @UseGuards(requireElevated('10m'))
 *   change() {}
 * }
 * ```
 */
export function requireElevated(within: Duration, ...none: never[]): CanActivate {
  refuseOptions('requireElevated', 'NotElevatedError', none)
  return guarded(elevatedGuard(within))
}

/**
 * Makes a guard that refuses requests of other sites' pages (CSRF), by the headers `Sec-Fetch-Site` and `Origin`
 * of browsers: of other domains, subdomains and ports. It reads no session.
 *
 * GET, HEAD and OPTIONS pass, and so do clients that are not browsers. The error goes to the exception filters, with the status 403.
 *
 * @throws {ConfigurationError} An option is wrong.
 * @example
 * ```ts
 * import { refuseCrossSite } from 'pg-sessions/nestjs'
 *
 * const guard = refuseCrossSite() // app.useGlobalGuards(guard)
 * ```
 */
export function refuseCrossSite(options?: CrossSiteOptions): CanActivate {
  return guarded(crossSiteGuard(options))
}

type NodeRequest = Parameters<typeof nodeRequest>[0]

/** A request of Express, or one of Fastify, which keeps Node's own in `raw`. */
interface PlatformRequest {
  readonly raw?: NodeRequest
  readonly session?: unknown
}

function guarded(guard: RequestGuard): CanActivate {
  return {
    async canActivate(context: ExecutionContext) {
      const request = context.switchToHttp().getRequest<NodeRequest & PlatformRequest>()
      await guard(nodeRequest(request.raw ?? request, () => request.session))
      return true
    },
  }
}

function refuseOptions(maker: string, error: string, options: readonly unknown[]): void {
  if (options.length === 0) return
  throw new ConfigurationError(
    `${maker} of NestJS takes a duration only: a guard cannot redirect. To send a browser elsewhere, catch ${error} in an exception filter.`,
  )
}
