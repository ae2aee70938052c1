import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import {
  All,
  Controller,
  Get,
  HttpCode,
  type MessageEvent,
  NotFoundException,
  Redirect,
  Req,
  Res,
  Session,
  Sse,
  StreamableFile,
  type Type,
  UseGuards,
} from '@nestjs/common'
import type { Session as VisitorSession } from 'pg-sessions'
import { refuseCrossSite, requireFresh } from 'pg-sessions/nestjs'
import { ownHeaders, type Script } from 'pg-sessions/testing'
import { from, map, type Observable } from 'rxjs'

/** The adapter of a platform, asked for one of several sessions of a request. */
export interface SessionOf {
  of(request: PlatformRequest): VisitorSession
}

/** What the routes ask of Express's request and of Fastify's. */
interface PlatformRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly session: VisitorSession
}

/** What they ask of Express's response and of Fastify's reply. */
interface PlatformResponse {
  status(code: number): unknown
  header(name: string, value: string | string[]): unknown
  hijack?(): unknown
  readonly raw?: PlatformResponse
  writeHead(status: number, headers: object): unknown
  end(body: string): unknown
}

/** The contract's routes, as handlers of a controller. */
export function controllerOf(
  script: Script,
  { own, inner, other }: Readonly<Record<'own' | 'inner' | 'other', SessionOf>>,
): Type<unknown> {
  @Controller()
  class ContractController {
    @Get('untouched')
    untouched() {
      return 'untouched'
    }

    @Get('use')
    use(@Session() session: VisitorSession, @Req() { url }: PlatformRequest) {
      return script.use(session, url)
    }

    @Get('change')
    change(@Session() session: VisitorSession, @Req() { url }: PlatformRequest) {
      script.change(session, url)
      return 'changed'
    }

    @Get('json')
    json(@Session() session: VisitorSession, @Req() { url }: PlatformRequest) {
      script.change(session, url)
      return { changed: true }
    }

    @Get('redirect')
    @Redirect('/use')
    redirect(@Session() session: VisitorSession, @Req() { url }: PlatformRequest) {
      script.change(session, url)
    }

    @Get('empty')
    @HttpCode(204)
    empty(@Session() session: VisitorSession, @Req() { url }: PlatformRequest) {
      script.change(session, url)
    }

    @Get('tagged')
    tagged(
      @Req() { session, url, headers }: PlatformRequest,
      @Res({ passthrough: true }) response: PlatformResponse,
    ) {
      script.change(session, url)
      response.header('ETag', '"v1"')
      if (headers['if-none-match'] === '"v1"') return void response.status(304)
      return 'tagged'
    }

    @Get('headed')
    headed(
      @Req() { session, url }: PlatformRequest,
      @Res({ passthrough: true }) response: PlatformResponse,
    ) {
      script.change(session, url)
      for (const [name, value] of Object.entries(ownHeaders)) response.header(name, value)
      return 'headed'
    }

    @Get('stream')
    stream(@Session() session: VisitorSession, @Req() { url }: PlatformRequest) {
      script.change(session, url)
      return new StreamableFile(Readable.from(script.body()))
    }

    @Sse('events')
    events(
      @Session() session: VisitorSession,
      @Req() { url }: PlatformRequest,
    ): Observable<MessageEvent> {
      script.change(session, url)
      return from(script.events(session, url)).pipe(map((data) => ({ data })))
    }

    @Get('throw')
    throw(@Session() session: VisitorSession, @Req() { url }: PlatformRequest) {
      script.change(session, url)
      throw script.error
    }

    @Get('throw-later')
    async throwLater(@Session() session: VisitorSession, @Req() { url }: PlatformRequest) {
      await script.use(session, url)
      throw script.error
    }

    @Get('passed-on')
    passedOn(@Session() session: VisitorSession, @Req() { url }: PlatformRequest) {
      script.change(session, url)
      throw new NotFoundException()
    }

    @Get('same')
    same(@Session() session: VisitorSession, @Req() request: PlatformRequest) {
      return String(session === request.session && session === own.of(request))
    }

    @Get('other')
    other(@Req() request: PlatformRequest) {
      return script.use(other.of(request), request.url)
    }

    @Get('both')
    async both(@Session() session: VisitorSession, @Req() request: PlatformRequest) {
      const mine = await script.use(session, request.url)
      return `${mine}\n${await script.use(other.of(request), request.url)}`
    }

    @Get('inner')
    inner(@Session() session: VisitorSession, @Req() request: PlatformRequest) {
      script.change(session, request.url)
      return script.use(inner.of(request), request.url)
    }

    @Get('cached')
    cached(@Session() session: VisitorSession, @Req() { url }: PlatformRequest) {
      script.change(session, url)
      return 'cached'
    }

    @Get('broken-stream')
    brokenStream(@Session() session: VisitorSession, @Req() { url }: PlatformRequest) {
      script.change(session, url)
      return new StreamableFile(createReadStream('/there/is/no/such/file'))
    }

    @All('same-site')
    @HttpCode(200)
    @UseGuards(refuseCrossSite({ allow: ['https://admin.example.com'] }))
    sameSite() {
      return 'same-site'
    }

    @All('fresh')
    @HttpCode(200)
    @UseGuards(requireFresh('5m'))
    fresh() {
      return 'fresh'
    }

    @Get('assigned')
    assigned(@Req() request: PlatformRequest) {
      Object.assign(request, { session: null })
      return 'assigned'
    }

    @Get('raw')
    raw(@Req() { session, url }: PlatformRequest, @Res() response: PlatformResponse) {
      script.change(session, url)
      response.hijack?.()
      const raw = response.raw ?? response
      raw.writeHead(200, { 'Content-Type': 'text/plain' })
      raw.end('raw')
    }
  }
  return ContractController
}
