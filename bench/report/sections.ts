import type { PopulationFigure } from '../growth/population.ts'
import type { ShapeFigure } from '../growth/shapes.ts'
import type { HttpFigure } from '../http-level/run-http-level.ts'
import type { CallFigure } from '../store-level/measure-calls.ts'
import type { MemorySample } from '../upkeep/measure-memory.ts'
import type { PurgeFigure } from '../upkeep/measure-purge.ts'
import type { TouchFigure } from '../upkeep/measure-touch.ts'
import type { WaitingFigure } from '../upkeep/measure-waiting.ts'

/** Each is missing when it was not asked for. */
export interface Sections {
  store?: readonly CallFigure[]
  http?: readonly HttpFigure[]
  growth?: {
    readonly populations: readonly PopulationFigure[]
    readonly shapes: readonly ShapeFigure[]
  }
  purge?: PurgeFigure
  touch?: readonly TouchFigure[]
  memory?: readonly MemorySample[] | null
  waiting?: WaitingFigure
}
