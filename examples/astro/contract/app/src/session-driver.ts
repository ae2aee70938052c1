import { astroSessionDriver } from 'pg-sessions/astro-session'
import '../../parts.ts'

export default () => astroSessionDriver({ database: globalThis.driverDatabase, log: false })
