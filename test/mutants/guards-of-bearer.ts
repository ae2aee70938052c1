import type { MutantGroup } from './mutant.ts'

const BEARER = 'test/http/bearer-sessions.test.ts'

/** Sessions of clients without cookies. */
export const bearerMutants: readonly MutantGroup[] = [
  {
    file: 'src/http/bearer/bearer-transport.ts',
    tests: [BEARER],
    mutants: [
      {
        without: 'refusing a request that shows a cookie and a token',
        from: 'cookies.some((cookie) => tokens.read(cookie) !== null)',
        to: 'cookies.length < 0',
      },
      {
        without: 'lifetimes of its own',
        from: '{ ...context.policy, ...this.#lifetimes }',
        to: 'context.policy',
      },
      {
        without: 'leaving other schemes alone',
        from: String.raw`/^\s*bearer(?:\s(.*))?$/is`,
        to: String.raw`/^\s*\w*(?:\s(.*))?$/is`,
      },
    ],
  },
  {
    file: 'src/http/bearer/bearer-sessions.ts',
    tests: [BEARER],
    mutants: [
      {
        without: 'refusing headers that mean something else',
        from: ' && !RESERVED.test(value)',
        to: '',
      },
      {
        without: 'refusing an adapter that passes no Authorization on',
        from: 'if (link.authorization === undefined) {',
        to: 'if (link === undefined) {',
      },
    ],
  },
]
