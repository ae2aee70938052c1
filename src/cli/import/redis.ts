import { sidIdentity } from '../../compatibility/by-sid/sid-identity.ts'
import { importRedis } from '../../import/redis/import-redis.ts'
import { connectRedis } from '../../import/redis/redis-commands.ts'
import { StatementRunner } from '../../postgres/statement-runner.ts'
import { findPackage } from '../find-package.ts'
import type { OldSystem } from './old-system.ts'

export const redis: OldSystem = {
  ownOptions: ['redis-url', 'prefix'],
  idleTimeout: '1d',
  async move(input, { driver, ...options }) {
    const url = input.text('redis-url') ?? process.env.REDIS_URL ?? 'redis://localhost:6379'
    const commands = await connectRedis(url, input.timeout, findPackage)
    try {
      const report = await importRedis({
        ...options,
        redis: commands,
        prefix: input.text('prefix') ?? 'sess:',
        runner: new StatementRunner(driver, input.timeout),
        identify: sidIdentity,
      })
      return { name: 'connect-redis', report }
    } finally {
      await commands.close()
    }
  },
}
