#!/usr/bin/env node
import { run } from './program.ts'

// `pg-sessions list | head` closes the pipe early, which is not a failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

// Node prints what libraries advise their developers, such as pg on `sslmode`. It is not for an operator.
process.removeAllListeners('warning')

process.exitCode = await run(process.argv.slice(2))

// A connection that does not answer would keep the process from ending.
setTimeout(() => process.exit(), 2000).unref()
