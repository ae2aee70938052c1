import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { root } from '../run-command.ts'
import type { Act, Answer, Request } from './protocol.ts'

/** Longer than any request may take: three calls of two seconds each, on a machine that is busy. */
const PATIENCE = 30_000

/** What is answered for a process that ended: whether the request was applied is not known. */
const DIED: Omit<Answer, 'number'> = {
  outcome: 'unknown',
  error: 'the process was killed',
  isExpected: true,
  longest: 0,
}

/** A process of the application, seen from the browsers. A process that is killed is started again. */
export class ApplicationProcess {
  readonly #args: readonly string[]
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #child: ChildProcess
  #ready: Promise<void>
  #number = 0
  /** When a request that began after this moment was first done; for the time to recover. */
  #recovery: { readonly since: number; done(milliseconds: number): void } | null = null

  constructor(driver: string, url: string, index: number, seals: boolean) {
    this.#args = [driver, url, String(index), String(seals)]
    this.#child = this.#start()
    this.#ready = readiness(this.#child)
  }

  get ready(): Promise<void> {
    return this.#ready
  }

  /** Sends a request, and never rejects. */
  async ask(token: string | null, act: Act): Promise<Answer> {
    await this.#ready
    const begun = performance.now()
    const number = ++this.#number
    const request: Request = { number, token, act }
    const answer = await new Promise<Answer>((resolve) => {
      const late = { ...DIED, number, error: 'no answer ever came', isExpected: false }
      const timer = setTimeout(() => this.#answered(late), PATIENCE)
      this.#waiting.set(number, (given) => {
        clearTimeout(timer)
        resolve(given)
      })
      this.#child.send(request, (error) => {
        if (error) this.#answered({ ...DIED, number })
      })
    })
    if (answer.outcome === 'done' && this.#recovery !== null && begun >= this.#recovery.since) {
      this.#recovery.done(performance.now() - this.#recovery.since)
      this.#recovery = null
    }
    return answer
  }

  /** Resolves with how long it takes from now until a request is done that begins from now on. */
  recovered(): Promise<number> {
    return new Promise((done) => {
      this.#recovery = { since: performance.now(), done }
    })
  }

  /** Kills the process as the system would, and starts another. */
  async killAndRestart(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    this.#ready = ended.then(() => {
      this.#child = this.#start()
      return readiness(this.#child)
    })
    await this.#ready
  }

  /** Stops the process for a while, as a machine that swaps does. */
  async pause(milliseconds: number): Promise<void> {
    this.#child.kill('SIGSTOP')
    await new Promise((resolve) => setTimeout(resolve, milliseconds))
    this.#child.kill('SIGCONT')
  }

  #start(): ChildProcess {
    const child = fork(join(root, 'scripts', 'soak', 'application.ts'), this.#args, {
      cwd: root,
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    child.on('message', (message) => {
      if (message !== 'ready') this.#answered(message as Answer)
    })
    child.on('exit', () => {
      for (const number of this.#waiting.keys()) this.#answered({ ...DIED, number })
    })
    return child
  }

  #answered(answer: Answer): void {
    this.#waiting.get(answer.number)?.(answer)
    this.#waiting.delete(answer.number)
  }
}

function readiness(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.on('message', (message) => {
      if (message === 'ready') resolve()
    })
    child.on('exit', (code) => {
      if (code !== 0 && code !== null)
        reject(new Error(`a process of the application ended with ${code}`))
    })
  })
}
