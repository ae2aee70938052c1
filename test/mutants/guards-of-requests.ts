import type { MutantGroup } from './mutant.ts'

const COOKIE = 'test/cookie/cookie-header.test.ts'
const TOKENS = 'test/session/tokens.test.ts'
const RENEWAL = 'test/session/renewal.test.ts'
const UPDATES = 'test/session/update-queue.test.ts'
const SIGN_IN = 'test/session/signing-in.test.ts'
const HELD = 'test/http/held-head-behaviour.test.ts'

const cookies: readonly MutantGroup[] = [
  {
    file: 'src/cookie/cookie-header.ts',
    tests: [COOKIE],
    mutants: [
      {
        without: 'the longest header that is read',
        from: ' && header.length <= LONGEST_HEADER',
        to: '',
      },
      {
        without: 'leaving values undecoded',
        from: 'decode: asItStands,',
        to: '',
      },
      {
        without: 'all values of several cookies',
        from: 'allowMultiple: true,\n',
        to: '',
      },
      {
        without: 'giving each value once',
        from: '[...new Set(values)]',
        to: 'values',
      },
    ],
  },
  {
    file: 'src/cookie/cookie-settings.ts',
    tests: ['test/cookie/cookie-settings.test.ts'],
    mutants: [
      {
        without: 'refusing SameSite=None without Secure',
        from: "cookie.sameSite === 'none' && !cookie.secure",
        to: 'false',
      },
      {
        without: 'refusing Partitioned without Secure',
        from: 'cookie.partitioned && !cookie.secure',
        to: 'false',
      },
      {
        without: 'comparing prefixes as browsers do',
        from: 'const name = cookie.name.toLowerCase()',
        to: 'const name = cookie.name',
      },
      {
        without: 'refusing __Host- with a domain or a path',
        from: "prefix === '__host-' && (cookie.domain !== null || cookie.path !== '/')",
        to: 'false',
      },
      {
        without: 'Secure by default',
        from: 'options.secure ?? !development',
        to: 'options.secure ?? false',
      },
      {
        without: 'refusing the text of a variable as the name of an application',
        from: '/^(?:true|false|[01])$/i.test(value)',
        to: 'false',
      },
    ],
  },
  {
    file: 'src/cookie/set-cookie.ts',
    tests: ['test/cookie/set-cookie.test.ts'],
    mutants: [
      {
        without: 'the longest lifetime of a cookie',
        from: 'Math.min(Math.max(seconds, 0), LONGEST_MAX_AGE)',
        to: 'Math.max(seconds, 0)',
      },
      {
        without: 'the largest cookie',
        from: ' || cookie.name.length + value.length > LARGEST_COOKIE',
        to: '',
      },
      {
        without: 'refusing what no cookie holds',
        from: '!COOKIE_VALUE.test(value) || ',
        to: '',
      },
    ],
  },
]

const tokens: readonly MutantGroup[] = [
  {
    file: 'src/session/token.ts',
    tests: [TOKENS],
    mutants: [
      {
        without: 'the one spelling of an id',
        from: '{21}[AQgw][A-Za-z0-9_-]{32,256}',
        to: '{22}[A-Za-z0-9_-]{32,256}',
      },
      {
        without: 'the alphabet of a secret that a client presents',
        from: 'if (!TOKEN.test(token)) return null',
        to: '',
      },
      {
        without: 'refusing a generator that gives the same secret twice',
        from: 'sample === generate()',
        to: 'false',
      },
      {
        without: 'the least length of a pepper',
        from: ' || pepper.length < 32',
        to: '',
        tests: ['test/session/settings.test.ts', TOKENS],
      },
      {
        without: 'the pepper in force as the one for new tokens',
        from: 'secretHash: currentHash(token)',
        to: 'secretHash: (hashes.at(-1) as HashFunction)(token)',
      },
      {
        without: 'the id in the hash under a pepper',
        from: "crypto.createHmac('sha256', pepper).update(token).digest()",
        to: "crypto.createHmac('sha256', pepper).update(token.slice(ID_LENGTH)).digest()",
      },
      {
        without: 'the least entropy of a random token',
        from: 'bytes < 16 || ',
        to: '',
      },
    ],
  },
  {
    file: 'src/session/shown-tokens.ts',
    tests: [TOKENS],
    mutants: [
      {
        without: 'refusing two live sessions in one request',
        from: 'new Set(records.map(({ id }) => id)).size > 1',
        to: 'false',
      },
      {
        without: 'preferring the token in force to the one before',
        from: 'records.find(({ previousToken }) => !previousToken?.isShown) ?? records[0]',
        to: 'records[0]',
        tests: [RENEWAL],
      },
      {
        without: 'the token that lives among several',
        from: "loaded.find(({ result }) => result.status === 'live' && result.record === record) ?? first",
        to: 'first',
      },
    ],
  },
  {
    file: 'src/session/sealed-token.ts',
    tests: ['test/session/sealed-token.test.ts'],
    mutants: [
      {
        without: 'a key that depends on the token before',
        from: "createHmac('sha256', token)",
        to: "createHmac('sha256', 'token')",
      },
    ],
  },
  {
    file: 'src/cryptography/aes-gcm.ts',
    tests: ['test/session/sealed-token.test.ts'],
    mutants: [
      {
        without: 'the length of what is sealed',
        from: '  if (sealed.length < SEAL_SIZE) return null\n',
        to: '',
      },
      {
        without: 'the authentication of what is sealed',
        from: '    decipher.final()\n',
        to: '',
      },
      {
        without: 'a fresh nonce',
        from: 'const nonce = crypto.randomBytes(NONCE)',
        to: 'const nonce = Buffer.alloc(NONCE)',
      },
    ],
  },
  {
    file: 'src/http/exchange.ts',
    tests: [TOKENS],
    mutants: [
      {
        without: 'the number of tokens that a request may show',
        from: 'tokens.length > 0 && tokens.length <= MOST_TOKENS',
        to: 'tokens.length > 0',
      },
      {
        without: 'no-store with a cookie',
        from: 'noStore: setCookies.length > 0',
        to: 'noStore: false',
        tests: ['test/adapters/node.test.ts'],
      },
      {
        without: 'the warning of a Secure cookie over plain http',
        from: 'if (target) warnOfPlainHttp',
        to: 'if (!target) warnOfPlainHttp',
        tests: ['test/http/plain-http-warning.test.ts'],
      },
    ],
  },
]

const sessions: readonly MutantGroup[] = [
  {
    file: 'src/session/update-queue.ts',
    tests: [UPDATES],
    mutants: [
      {
        without: 'the session, user and sign-in that a value passes between',
        from: 'JSON.stringify([id, userId, version, key])',
        to: 'JSON.stringify([key])',
      },
      {
        without: 'the user that a value passes between',
        from: '[id, userId, version, key]',
        to: '[id, version, key]',
      },
      {
        without: 'the sign-in that a value passes between',
        from: '[id, userId, version, key]',
        to: '[id, userId, key]',
      },
      {
        without: 'forgetting the value of a failed update',
        from: '        queue.latest = undefined\n',
        to: '',
      },
      {
        without: 'forgetting a queue that is empty',
        from: 'if (queue.length === 0) this.#queues.delete(name)',
        to: '',
      },
    ],
  },
  {
    file: 'src/session/turn.ts',
    tests: [UPDATES],
    mutants: [
      {
        without: 'the deadline of a call that waits its turn',
        from: 'deadline.race(before, () => waitedTooLong(deadline)).then(work)',
        to: 'before.then(work, () => Promise.reject(waitedTooLong(deadline)))',
        tests: [UPDATES, 'test/promises/9-every-call-ends-in-time.test.ts'],
      },
      {
        without: 'waiting for the call before the one that gave up',
        from: 'Promise.allSettled([before, result])',
        to: 'Promise.allSettled([result])',
      },
    ],
  },
  {
    file: 'src/session/destroy-session.ts',
    tests: ['test/session/ending.test.ts'],
    mutants: [
      {
        without: 'the token in the end of a session by a request',
        from: '{ id: sessionId, secretHashes }, { deadline }',
        to: '{ id: sessionId }, { deadline }',
      },
      {
        without: 'telling a request that its session was taken over',
        from: "if (result.status === 'superseded') throw new SessionGoneError(sessionId, SUPERSEDED)",
        to: "if (result.status === 'superseded') return",
      },
      {
        without: 'the event only when this request has ended the session',
        from: "if (hasEnded) events.emit('destroyed'",
        to: "events.emit('destroyed'",
        tests: ['test/session/ending.test.ts', 'test/session/events-and-log.test.ts'],
      },
    ],
  },
  {
    file: 'src/session/begin-session.ts',
    tests: [SIGN_IN],
    mutants: [
      {
        without: 'telling a request that the session it replaces was taken over',
        from: "if (result.status === 'superseded') throw new SessionGoneError(snapshot.id, SUPERSEDED)",
        to: '',
        tests: ['test/promises/4-one-winner.test.ts', 'test/session/ending.test.ts'],
      },
      {
        without: 'refusing a sign-in that replaces a session which has ended',
        from: 'const takesOver = signIn !== null && snapshot.summary.userId !== null',
        to: 'const takesOver = false',
        tests: [SIGN_IN, 'test/session/ending.test.ts', 'test/promises/3-ended-is-ended.test.ts'],
      },
    ],
  },
  {
    file: 'src/session/sign-in-apart.ts',
    tests: [SIGN_IN],
    mutants: [
      {
        without: "refusing a sign-in into another user's session",
        from: 'if (live?.userId !== signIn.userId) {',
        to: 'if (live === undefined) {',
      },
    ],
  },
  {
    file: 'src/session/current-session.ts',
    tests: [RENEWAL],
    mutants: [
      {
        without: 'refusing a cookie after the head',
        from: "if (this.link.phase?.() === 'sent') throw new ResponseStartedError(action)",
        to: '',
        tests: ['test/session/saving.test.ts'],
      },
      {
        without: 'no renewal on a conditional request',
        from: 'if (!isDue || this.link.isConditional?.()) return false',
        to: 'if (!isDue) return false',
      },
    ],
  },
  {
    file: 'src/session/next-token.ts',
    tests: [RENEWAL, 'test/promises/renewal-over-http.test.ts'],
    mutants: [
      {
        without: 'no grace for the token of a rotation',
        from: 'return { ...token, grace: null }\n  }\n  if (!mayRenew',
        to: "return { ...token, grace: { duration: policy.renewal.grace.duration, successor: sealToken(token.token, current.token ?? '') } }\n  }\n  if (!mayRenew",
      },
    ],
  },
  {
    file: 'src/session/change-session.ts',
    tests: [RENEWAL],
    mutants: [
      {
        without: 'the hash of a token whose answer got lost',
        from: 'if (isUnknown && token !== null) snapshot.tokenMayBe(token.secretHash)',
        to: 'void isUnknown',
        tests: [RENEWAL],
      },
    ],
  },
  {
    file: 'src/session/session-state.ts',
    tests: [SIGN_IN],
    mutants: [
      {
        without: "leaving another user's changes behind at a sign-in",
        from: 'takesOver ? collected.forAnotherUser() : collected',
        to: 'collected',
      },
      {
        without: 'refusing what is read before the load',
        from: 'if (!this.#loader.isLoaded) throw new NotLoadedError(what)',
        to: '',
        tests: ['test/session/reading-and-changing.test.ts'],
      },
      {
        without: 'refusing a first value after the head',
        from: "if (begins) this.#current.refuseIfHeadSent('Storing a first value')",
        to: '',
        tests: ['test/session/saving.test.ts'],
      },
    ],
  },
  {
    file: 'src/session/load-session.ts',
    tests: [RENEWAL],
    mutants: [
      {
        without: 'the policy for a reused token',
        from: "if (onReuse === 'log') return",
        to: 'return',
      },
    ],
  },
  {
    file: 'src/session/refuse-writes.ts',
    tests: ['test/session/written-past-it.test.ts'],
    mutants: [
      {
        without: 'refusing properties that are written to a session',
        from: 'return new Proxy(this, TRAPS)',
        to: 'return new Proxy(this, { ...TRAPS, set: Reflect.set })',
      },
    ],
  },
  {
    file: 'src/store/user-id.ts',
    tests: ['test/session/across-sessions.test.ts'],
    mutants: [
      {
        without: 'refusing an empty user',
        from: 'userId.length === 0 || ',
        to: '',
      },
      {
        without: 'refusing NUL in a user',
        from: " && !userId.includes('\\0')",
        to: '',
      },
      {
        without: 'refusing lone surrogates in a user',
        from: 'return userId.isWellFormed() && ',
        to: 'return ',
      },
    ],
  },
  {
    file: 'src/store/key-limit.ts',
    tests: ['test/session/limits.test.ts'],
    mutants: [
      {
        without: 'the longest key',
        from: 'if (key.length <= MOST_KEY_BYTES) return',
        to: 'if (name) return',
      },
    ],
  },
]

const heads: readonly MutantGroup[] = [
  {
    file: 'src/http/shared-hold.ts',
    tests: ['test/http/changes-within-head.test.ts'],
    mutants: [
      {
        without: 'holding the head while a change is left to save',
        from: 'if (!isSettled) return undefined',
        to: '',
        tests: ['test/adapters/node.test.ts'],
      },
      {
        without: 'holding the head again for a change after the hold has ended',
        from: '      for (const member of members) member.released()\n',
        to: '',
      },
    ],
  },
  {
    file: 'src/http/held-head.ts',
    tests: [HELD],
    mutants: [
      {
        without: 'refusing to hold a head that has left',
        from: "  if (response.headersSent) throw new ResponseStartedError('Holding a response')\n",
        to: '',
      },
      {
        without: 'saving once',
        from: "if (this.#phase !== 'open') return\n    this.#phase = 'saving'",
        to: "if (this.#phase !== 'open' && this.#phase !== 'saving') return\n    this.#phase = 'saving'",
      },
      {
        without: 'the headers from before, when a save fails',
        from: '      this.#restoreHead()\n',
        to: '',
        tests: ['test/http/held-head-failure.test.ts'],
      },
      {
        without: 'asking the handler to wait',
        from: 'if (this.#queuedLength < this.#response.writableHighWaterMark) return true',
        to: 'return true',
      },
      {
        without: 'the connection of an ended response that waits for its save',
        from: '    this.#cut ??= deferCut(this.#response)\n',
        to: '',
        tests: ['test/http/held-head-failure.test.ts'],
      },
      {
        without: 'dropping late calls of a handler whose save failed',
        from: "const isLate = this.#phase === 'dropped' && !this.#answering?.getStore()",
        to: 'const isLate = false',
        tests: ['test/http/held-head-failure.test.ts'],
      },
    ],
  },
  {
    file: 'src/http/head-replay.ts',
    tests: ['test/adapters/express.test.ts', 'test/adapters/node.test.ts'],
    mutants: [
      {
        without: 'the last word on the head',
        from: '    keepInHead(response, addition)\n    return Reflect.apply(send, target',
        to: '    return Reflect.apply(send, target',
      },
    ],
  },
  {
    file: 'src/http/response-headers.ts',
    tests: [HELD],
    mutants: [
      {
        without: "the handler's own cookies",
        from: "[...linesOf(head, 'Set-Cookie'), ...setCookies]",
        to: '[...setCookies]',
      },
      {
        without: 'the targeted fields that overrule Cache-Control',
        from: 'if (TARGETED_CACHE_FIELD.test(name)) head.removeHeader(name)',
        to: '',
      },
      {
        without: 'a Vary that the handler has set',
        from: "[...lines, field].join(', ')",
        to: 'field',
        tests: ['test/adapters/node.test.ts'],
      },
    ],
  },
  {
    file: 'src/http/sealed-headers.ts',
    tests: ['test/adapters/hono.test.ts', 'test/adapters/fetch.test.ts'],
    mutants: [
      {
        without: 'the seal on no-store',
        from: 'if (!isCacheField(name)) Reflect.apply',
        to: 'Reflect.apply',
      },
    ],
  },
  {
    file: 'src/http/request-sessions.ts',
    tests: ['test/adapters/express.test.ts', 'test/adapters/hono.test.ts'],
    mutants: [
      {
        without: 'one visit for each request',
        from: 'if (known !== undefined && !known.isOver) {',
        to: 'if (false as boolean && known !== undefined) {',
      },
      {
        without: 'a slot for each sessions object',
        from: 'this.#slot = slots.of(sessions)',
        to: "this.#slot = Symbol.for('one for all')",
      },
      {
        without: 'refusing the session of another library',
        from: "if ('session' in holder && !isOwn(holder)) throw sessionIsTaken(this.#adapter)",
        to: '',
        tests: ['test/adapters/beside-other-sessions.test.ts'],
      },
      {
        without: 'calling no foreign getter',
        from: 'if (property?.get !== undefined) return ownGetters.has(property.get)',
        to: "if (property?.get !== undefined) return isFree(Reflect.get(holder, 'session'))",
        tests: ['test/adapters/beside-other-sessions.test.ts'],
      },
    ],
  },
  {
    file: 'src/http/plain-http-warning.ts',
    tests: ['test/http/plain-http-warning.test.ts'],
    mutants: [
      {
        without: 'one warning for each host',
        from: 'if (warned.has(host) || warned.size >= MOST_HOSTS) return',
        to: '',
      },
      {
        without: 'silence on the own machine',
        from: ' || LOCAL.test(host)',
        to: '',
      },
      {
        without: 'silence behind a proxy',
        from: '!isPlain || ',
        to: '',
      },
    ],
  },
  {
    file: 'src/http/development-cookie.ts',
    tests: ['test/http/development-cookie.test.ts'],
    mutants: [
      {
        without: 'refusing the cookie of development over https',
        from: 'if (isHttps) throw',
        to: 'if (false) throw',
      },
      {
        without: 'refusing the cookie of development on public hosts',
        from: "  throw misplaced('The request came to a public host",
        to: "  if (false) throw misplaced('The request came to a public host",
      },
      {
        without: 'names that end like a local one',
        from: '(?:[^.:]+|.+',
        to: '(?:[^.:]+.*|.+',
      },
    ],
  },
  {
    file: 'src/adapters/h3.ts',
    tests: ['test/adapters/wrong-mount.test.ts'],
    mutants: [
      {
        without: 'naming app.use in h3',
        from: "if (typeof Object(app).config !== 'object') {",
        to: 'if (false) {',
      },
    ],
  },
  {
    file: 'src/adapters/express.ts',
    tests: ['test/adapters/wrong-mount.test.ts'],
    mutants: [
      {
        without: 'naming the wrong framework',
        from: 'if (!isNodeResponse(response)) {',
        to: 'if (false) {',
      },
    ],
  },
  {
    file: 'src/http/session-from-upgrade.ts',
    tests: ['test/websockets/hung-up.test.ts'],
    mutants: [{ without: 'hearing errors of an upgrade', from: '  hearErrors(request)\n', to: '' }],
  },
  {
    file: 'src/http/authorization-field.ts',
    tests: ['test/http/bearer-sessions.test.ts'],
    mutants: [
      {
        without: 'looking at all Authorization headers',
        from: 'lines.length > 1 ? lines.join(',
        to: 'lines.length > 9 ? lines.join(',
      },
    ],
  },
  {
    file: 'src/http/response-headers.ts',
    tests: ['test/adapters/fetch.test.ts'],
    mutants: [
      {
        without: "leaving a handler's own WWW-Authenticate",
        from: ' && linesOf(head, CHALLENGE).length === 0',
        to: '',
      },
    ],
  },
  {
    file: 'src/http/guards/fresh.ts',
    tests: ['test/adapters/guards.test.ts'],
    mutants: [
      {
        without: 'encoding where a guard redirects to',
        from: 'return asHeader(location)',
        to: 'return location',
      },
    ],
  },
]

export const requestMutants: readonly MutantGroup[] = [...cookies, ...tokens, ...sessions, ...heads]
