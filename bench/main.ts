import { openPostgres } from './environment/postgres.ts'
import { buildPrograms } from './environment/programs.ts'
import { openRedis } from './environment/redis.ts'
import { runStoreLevel } from './store-level/run-store-level.ts'

const onProgress = (message: string): void => console.error(`  ${message}`)
const programs = await buildPrograms()
const postgres = await openPostgres(process.env.DATABASE_URL, onProgress)
const redis = await openRedis()
try {
  const extent = process.argv.includes('--quick') ? 'quick' : 'standard'
  const figures = await runStoreLevel({ postgres, redis, programs, extent, onProgress })
  for (const f of figures) {
    console.log(
      [
        f.operation.padEnd(14),
        String(f.atATime).padStart(4),
        f.contender.padEnd(28),
        ...[f.cpu.client, f.cpu.server ?? NaN, f.cpu.total ?? NaN].map((x) =>
          x.toFixed(1).padStart(8),
        ),
        f.callsPerSecond.toFixed(0).padStart(8),
        f.p50.toFixed(3).padStart(8),
        f.p99.toFixed(3).padStart(8),
        f.walBytesPerCall.toFixed(0).padStart(7),
        f.roundTripsPerCall.toFixed(3).padStart(7),
      ].join(' '),
    )
  }
} finally {
  await redis?.stop()
  await postgres.stop()
  await programs.remove()
}
