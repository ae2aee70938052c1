import 'reflect-metadata'
import { Controller, Get, Module, Post, Redirect, Session } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { Pool } from 'pg'
import { createSessions, type Session as VisitorSession } from 'pg-sessions'
import { expressSessions } from 'pg-sessions/express'
import { SessionsModule } from 'pg-sessions/nestjs'
import { fromPg } from 'pg-sessions/pg'
import { page } from './page.ts'

const pool = new Pool({ connectionString: process.env.DATABASE_URL })
const development = process.env.NODE_ENV === 'development' // plain http on localhost
const sessions = createSessions({ database: fromPg(pool), cookie: { development } })
sessions.startPurger()

@Controller()
class HomeController {
  @Get()
  async home(@Session() session: VisitorSession) {
    await session.load()
    return page(session.userId, session.data.clicks)
  }

  @Post('click')
  @Redirect('/')
  async click(@Session() session: VisitorSession) {
    await session.update('clicks', (clicks = 0) => clicks + 1)
  }

  @Post('login')
  @Redirect('/')
  async login(@Session() session: VisitorSession) {
    await session.signIn('ann') // after you have checked the password
  }

  @Post('logout')
  @Redirect('/')
  async logout(@Session() session: VisitorSession) {
    await session.signOut()
  }
}

// On Fastify it is `adapter: fastifySessions`.
@Module({
  imports: [SessionsModule.forRoot({ sessions, adapter: expressSessions })],
  controllers: [HomeController],
})
class AppModule {}

const app = await NestFactory.create(AppModule)
await app.listen(Number(process.env.PORT ?? 3000), 'localhost')
