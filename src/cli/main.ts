#!/usr/bin/env node
import { run } from './program.ts'

// `pg-sessions list | head` closes the pipe early, which is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

process.exitCode = await run(process.argv.slice(2))

// A connection that answers no more would otherwise keep the process from ending.
setTimeout(() => process.exit(), 2000).unref()
