/** Starts the demo: a database, the application, a web server. `npm run demo -- --help` */
import { createApplication } from './application.ts'
import { CommandLineError, help, readCommandLine } from './command-line.ts'
import { openDatabase } from './database.ts'
import { announceDemo, findRunningDemo, withdrawDemo } from './running-demo.ts'
import { onStopSignal } from './stop-signal.ts'
import { listen } from './web-server.ts'

async function main(): Promise<void> {
  const options = readCommandLine(process.argv.slice(2), process.env)
  if (options === 'help') return console.log(help)

  const { databaseUrl, dataDirectory } = options
  const running = databaseUrl === undefined ? await findRunningDemo(dataDirectory) : null
  if (running !== null) {
    return console.log(`\n  The demo is already running at  ${running}\n`)
  }
  const database = await openDatabase(options, (message) => console.log(`  ${message}`))
  const application = createApplication(database.pool)
  await application.sessions.ready()
  application.sessions.startPurger()
  const server = await listen(application.handler, options.port)

  if (databaseUrl === undefined) await announceDemo(dataDirectory, server.url)

  onStopSignal(async () => {
    console.log('\n  Stopping')
    await withdrawDemo(dataDirectory)
    await server.stop()
    await application.sessions.close()
    await database.close()
  })

  console.log(`
  The demo is at  ${server.url}
  Its sessions are in ${database.description}

  Try
    1. Put something in the basket, then sign in with any name: the basket comes along.
    2. Open the page in a private window and sign in with the same name: that is a second device.
       Sign one out from the other.
    3. Fire 50 concurrent clicks, rotate the token, let the session expire, save after sign-out.
    4. Let 10 minutes pass and change your address: you are asked to sign in again.
    5. Sign in as admin, and act as ann: the session shows in ann's list of devices.
       Open ${server.url}/admin: find a session, and end it.
    6. Press Ctrl-C here and start the demo again: you are still signed in.
`)
}

try {
  await main()
} catch (error) {
  const isOurs = error instanceof Error && ('code' in error || error instanceof CommandLineError)
  console.error(isOurs ? `\n  ${error.message}\n` : error)
  // The database, if it has been started, ends with this process.
  process.exit(error instanceof CommandLineError ? 2 : 1)
}
