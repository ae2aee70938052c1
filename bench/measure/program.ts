import { type ChildProcess, fork } from 'node:child_process'

/** What a program does when asked; what goes in and out passes through `process.send`. */
export type Tasks = Readonly<Record<string, (argument: never) => Promise<unknown>>>

interface Question {
  readonly number: number
  readonly task: string
  readonly argument: unknown
}

interface Answer {
  readonly number: number
  readonly value?: unknown
  readonly error?: string
}

/** A program in a process of its own, so that its CPU can be told from everybody else's. */
export class Program<Offered extends Tasks> {
  readonly pid: number
  readonly #process: ChildProcess
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #asked = 0

  private constructor(process: ChildProcess) {
    this.#process = process
    this.pid = process.pid ?? Number.NaN
    process.on('message', (answer: Answer) => this.#waiting.get(answer.number)?.(answer))
    process.on('exit', (code, signal) => {
      const error = `The program ended early (${signal ?? code}).`
      for (const [number, settle] of this.#waiting) settle({ number, error })
    })
  }

  static start<Offered extends Tasks>(
    file: string,
    flags: readonly string[] = [],
  ): Program<Offered> {
    const child = fork(file, {
      execArgv: [...flags],
      env: { ...process.env, NODE_ENV: 'production' },
      // What a program prints is not part of the result.
      stdio: ['ignore', 2, 2, 'ipc'],
      serialization: 'advanced',
    })
    return new Program<Offered>(child)
  }

  async ask<Task extends keyof Offered & string>(
    task: Task,
    argument: Parameters<Offered[Task]>[0],
  ): Promise<Awaited<ReturnType<Offered[Task]>>> {
    const number = ++this.#asked
    const answer = await new Promise<Answer>((resolve) => {
      this.#waiting.set(number, resolve)
      const question: Question = { number, task, argument }
      this.#process.send(question, (error) => {
        if (error) resolve({ number, error: error.message })
      })
    })
    this.#waiting.delete(number)
    if (answer.error !== undefined) throw new Error(`${task}: ${answer.error}`)
    return answer.value as Awaited<ReturnType<Offered[Task]>>
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const ended = new Promise((resolve) => this.#process.once('exit', resolve))
    this.#process.disconnect()
    const impatience = setTimeout(() => this.#process.kill('SIGKILL'), 5000)
    await ended
    clearTimeout(impatience)
  }
}

/** The other end: answers until the process that started this program is gone. */
export function offer(tasks: Tasks): void {
  process.on('message', ({ number, task, argument }: Question) => {
    const work = tasks[task]?.(argument as never) ?? Promise.reject(new Error('unknown task'))
    work.then(
      (value) => process.send?.({ number, value }),
      (error: Error) => process.send?.({ number, error: error.stack ?? String(error) }),
    )
  })
  process.on('disconnect', () => process.exit())
}
