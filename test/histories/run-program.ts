import { Browser } from './browser.ts'
import { checkHistory } from './check-history.ts'
import { randomFates, type Weather } from './faulty-driver.ts'
import type { Ground, PlaceOptions } from './ground.ts'
import type { Errand, Lane, Program, Round } from './program.ts'
import { randomNumbers } from './random.ts'
import { Recorder } from './recorder.ts'
import { runErrand } from './run-errand.ts'
import { runRequest } from './run-request.ts'
import { oneByOne, openTurnstile } from './turnstile.ts'
import { PASSING, type Wishes, World } from './world.ts'

/** How random programs are run. */
export interface Circumstances {
  /** Whether statements go one by one in an order that the seed decides, or all at once. */
  readonly order: 'one by one' | 'at once'
  /** Whether calls share statements. */
  readonly shares: boolean
  /** How many of a hundred calls fail. */
  readonly faults: number
}

/** Runs a program, and tells what was wrong with what its clients were answered. */
export function runProgram(
  ground: Ground,
  { seed, rounds, beyondTwo, seals }: Program,
  { order, shares, faults }: Circumstances,
): Promise<readonly string[]> {
  const random = randomNumbers(seed)
  const choose = (count: number): number => Math.floor(random() * count)
  const turnstile = order === 'at once' ? openTurnstile() : oneByOne(choose)
  const weather = { turnstile, fate: randomFates(random, faults) }
  return runRounds(ground, rounds, weather, { shares, wishes: { beyondTwo, seals } })
}

/** Runs rounds in some weather, and tells what was wrong. */
export async function runRounds(
  ground: Ground,
  rounds: readonly Round[],
  weather: Weather,
  { shares, deadline = DEADLINE, wishes = NO_WISHES, startLanes = startAll }: RoundOptions,
): Promise<readonly string[]> {
  const place = await ground.open(weather, { shares, deadline })
  const recorder = new Recorder()
  const { settings, narrow = (lane) => lane } = ground
  const options = { deadline, settings, ...wishes }
  const world = new World(recorder, place.stores, options)
  const browsers = [new Browser(0), new Browser(1)]
  for (const { time, lanes } of rounds) {
    if (time !== 'no') {
      const begin = recorder.now()
      await place.elapse(PASSING[time])
      const deed = { kind: 'time passes' as const, isLong: time === 'long' }
      const request = recorder.newRequest()
      if (time !== 'brief') recorder.noteForAll({ request, begin, end: recorder.now(), deed })
    }
    await startLanes(lanes.map((lane) => () => runLane(world, browsers, narrow(lane))))
  }
  await weather.turnstile.empty()
  await world.close()
  await weather.turnstile.empty()
  await lookAtWhatIsLeft(new World(recorder, [place.calm], options), browsers, narrow)
  const unrest = await place.rest()
  return [...checkHistory(recorder.history(), ground.rules), ...(unrest === null ? [] : [unrest])]
}

interface RoundOptions extends Partial<PlaceOptions> {
  readonly shares: boolean
  readonly wishes?: Wishes
  readonly startLanes?: StartLanes
}

const NO_WISHES: Wishes = { beyondTwo: 'live', seals: false }

/** Milliseconds that a call may take unless a program says otherwise. */
const DEADLINE = 5_000

/** Starts the lanes of a round, and waits for all. */
export type StartLanes = (lanes: readonly (() => Promise<void>)[]) => Promise<unknown>

const startAll: StartLanes = (lanes) => Promise.all(lanes.map((start) => start()))

async function runLane(world: World, browsers: readonly Browser[], lane: Lane): Promise<void> {
  if ('errands' in lane) {
    for (const errand of lane.errands) await runErrand(world, lane.process, errand)
    return
  }
  const browser = browsers[lane.browser] as Browser
  for (const request of lane.requests) await runRequest(world, browser, lane.process, request)
}

/** What is left when all is over. */
async function lookAtWhatIsLeft(
  world: World,
  browsers: readonly Browser[],
  narrow: (lane: Lane) => Lane,
): Promise<void> {
  for (const browser of browsers) {
    const tokens = [...browser.tokens]
    for (const token of tokens) {
      const holder = new Browser(browser.number)
      holder.obey([`__Host-id=${token};`])
      await runRequest(world, holder, 0, { age: 0, steps: [] })
    }
  }
  const lists: readonly Errand[] = [
    { do: 'list', userId: 'ann' },
    { do: 'list', userId: 'bob' },
    { do: 'list by tag', tag: 't' },
  ]
  await runLane(world, browsers, narrow({ process: 0, errands: lists }))
  await world.close()
}
