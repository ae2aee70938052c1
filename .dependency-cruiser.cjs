/**
 * The house: which room of src/ may import from which. CONTRIBUTING.md shows it as a table.
 * Imports of types count too, since a type ties two rooms together as firmly as a call does.
 */

const { readdirSync } = require('node:fs')
const { basename, join } = require('node:path')

/** Lets a room import from itself and from the paths given, and from nothing else in src/. */
function room(name, allowed, comment) {
  return {
    name: `house-${name}`,
    comment,
    severity: 'error',
    from: { path: `^src/${name}(/|\\.ts$)` },
    to: { path: '^src/', pathNot: [`${name}/`, ...allowed].map((path) => `^src/${path}`) },
  }
}

/** Closes some rooms to the files that `from` matches, and leaves the others open. */
function roomWithout(name, from, refused, comment) {
  return {
    name: `house-${name}`,
    comment,
    severity: 'error',
    from: { path: `^src/${from}` },
    to: { path: `^src/(${refused.join('|')})/` },
  }
}

/**
 * Keeps the subpaths of one room apart: none imports another, nor what lies in the folder of
 * another's name. A folder that bears no subpath's name is common ground.
 */
function strangers(name, comment) {
  const files = readdirSync(join(__dirname, 'src', name)).filter((file) => file.endsWith('.ts'))
  const subpaths = files.map((file) => basename(file, '.ts')).join('|')
  return {
    name: `strangers-${name}`,
    comment,
    severity: 'error',
    from: { path: `^src/${name}/([^/.]+)` },
    to: { path: `^src/${name}/(${subpaths})(\\.ts$|/)`, pathNot: `^src/${name}/$1(\\.ts$|/)` },
  }
}

const errors = 'errors(/|\\.ts$)'
const processWide = 'process-wide\\.ts$'
const realTime = 'real-time\\.ts$'
const cryptography = 'cryptography/'
const options = 'options/'
const telemetry = 'telemetry/(channels|request-context)\\.ts$'
const driver = 'postgres/driver\\.ts$'

module.exports = {
  forbidden: [
    room('errors', [], 'Errors that import make every room depend on what they import.'),
    room('process-wide', [], 'State that all copies share must not depend on one copy.'),
    room('real-time', [], 'The first thing to load takes the timers before a test replaces them.'),
    room(
      'cryptography',
      [],
      'A cipher that knows what it seals is written again for the next use.',
    ),
    room('codec', [errors], 'A codec that knows sessions or SQL cannot be swapped for another.'),
    room('options', [errors], 'Options that know their makers cannot serve all of them.'),
    room(
      'store',
      [realTime, errors],
      'A store contract that knows its users cannot be met by a new store.',
    ),
    room(
      'telemetry',
      [options, realTime, errors],
      'Telemetry that knows sessions or SQL cannot serve both.',
    ),
    room('cookie', [options, errors], 'Cookie rules mixed with sessions cannot be tested as text.'),
    room(
      'session',
      ['store/', 'codec/', options, telemetry, cryptography, realTime, errors],
      'SQL or HTTP in a session ties what handlers hold to one database or one framework.',
    ),
    room(
      'sealing',
      ['store/', 'codec/', 'session/session-events\\.ts$', cryptography, options, errors],
      'Encryption that knows SQL or requests cannot serve every store.',
    ),
    room(
      'http',
      ['session/', 'store/', 'cookie/', options, processWide, realTime, errors],
      'SQL in the request life cycle would go round the guards of the store contract.',
    ),
    room(
      'adapters',
      ['http/', options, processWide, realTime, errors],
      'An adapter that reaches past the exchange grows a request life cycle of its own.',
    ),
    room(
      'postgres',
      ['store/', options, telemetry, processWide, realTime, errors],
      'A store that knows sessions or one driver cannot be used with another.',
    ),
    room(
      'admin',
      [
        ...[
          'session/',
          'store/',
          'http/',
          'codec/',
          'cookie/cookie-header\\.ts$',
          'sessions\\.ts$',
        ],
        ...[options, telemetry, realTime, errors],
      ],
      'An admin page that knows SQL or one framework shows one store, in one framework.',
    ),
    room(
      'import',
      // The move from wai-session-postgresql hands out tokens, since a key there is the cookie itself.
      [
        'postgres/',
        'store/',
        'codec/',
        'haskell/',
        options,
        'session/(token|secret-options)\\.ts$',
        cryptography,
        realTime,
        errors,
      ],
      'A move that knows the middleware or the request it is for cannot be run from the command line.',
    ),
    room(
      'haskell',
      [
        'store/',
        'postgres/',
        'codec/',
        'cookie/cookie-settings\\.ts$',
        options,
        'session/token\\.ts$',
        errors,
      ],
      "A store on another system's tables that knows sessions or HTTP is another library.",
    ),
    room(
      'haskell/cereal',
      ['codec/', errors],
      'A codec that knows the tables it was written for cannot be used on others.',
    ),
    room(
      'compatibility',
      // A user hands over a pool, as to the stores that these take the place of. What was stored before
      // comes through import/.
      [
        ...['session/', 'store/', 'codec/', 'postgres/', 'import/', 'sealing/', 'drivers/pg\\.ts$'],
        ...[options, cryptography, processWide, realTime, errors],
      ],
      'A store for another middleware that knows our request life cycle would mix two of them.',
    ),
    room(
      'drivers',
      [driver, options, 'telemetry/request-context\\.ts$', processWide, realTime, errors],
      'A driver that does more than the seam asks cannot be replaced.',
    ),
    room(
      'embedded',
      [options, errors],
      'A test server that loads the package tests it with itself.',
    ),
    room(
      'testing',
      [
        ...['store/', driver, 'session/session\\.ts$', '(create-)?sessions\\.ts$', errors],
        'http/(exchange|bearer/bearer-sessions)\\.ts$',
      ],
      'A contract suite that knows one implementation proves nothing about another.',
    ),
    roomWithout('cli', 'cli/', ['adapters'], 'The command line would load web frameworks.'),
    roomWithout(
      'core',
      '[^/]+\\.ts$',
      ['adapters', 'drivers', 'cli', 'admin'],
      'Every application would load every driver and every framework.',
    ),
    strangers('drivers', 'An application would load the client of a driver it does not use.'),
    strangers('adapters', 'An application would load a framework it does not use.'),
    strangers('compatibility', 'An application would load the store of a middleware it lacks.'),
    {
      name: 'no-cycles',
      comment: 'Files in a cycle can only be understood, and loaded, all at once.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-missing-modules',
      comment: 'An import that resolves here by luck, or not at all, fails for users.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'source-stands-alone',
      comment: 'Tests, demo and scripts are not published, so source that imports them breaks.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|demo|scripts)/' },
    },
    {
      name: 'no-unpublished-packages',
      comment: 'Users do not get devDependencies, so a built file that imports one breaks.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(adapters|cli)/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['npm-peer'],
      },
    },
    {
      name: 'borrowed-packages-only-as-types',
      comment: "Framework and client are the user's own: a copy loaded here would be another one.",
      severity: 'error',
      from: { path: '^src/(adapters|cli)/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-peer', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['type-only', 'type-import'],
      },
    },
    {
      name: 'runtime-neutral-rooms',
      comment: 'Rooms that need no Node module must keep running where there is none.',
      severity: 'error',
      // Postgres.js opens sockets by node:net as well, where it is not given any. Bun has node:net.
      from: {
        path: '^src/([^/]+\\.ts|cookie/|drivers/(?!postgres-js/dialer|bun-sql/network-fault)|adapters/(?!node\\.ts|node/|express\\.ts))',
      },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'request-path-stays-in-process',
      comment: 'A file, socket or process on the request path is work that the promises leave out.',
      severity: 'error',
      from: {
        path: '^src/(options|session|codec|store|sealing|http|adapters|postgres|import|haskell)/',
      },
      to: { dependencyTypes: ['core'], path: '^(node:)?(fs|child_process|net|tls|dgram|cluster)' },
    },
    {
      name: 'demo-is-a-user',
      comment: 'A demo that reaches into src/ shows readers something they cannot write.',
      severity: 'error',
      from: { path: '^demo/' },
      to: { path: '^src/', dependencyTypesNot: ['aliased'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      conditionNames: ['types', 'import', 'node', 'default'],
      exportsFields: ['exports'],
    },
  },
}
