import type { Meter } from '@opentelemetry/api'
import { expect, test } from 'vitest'
import { recordMeasurements } from '../../src/telemetry/opentelemetry/measurements.ts'
import { readDocument } from '../documents/code-blocks.ts'

const dashboard = readDocument('docs/grafana-dashboard.json')
const queries = [...dashboard.matchAll(/"expr": "((?:[^"\\]|\\.)*)"/g)].map(
  ([, text]) => JSON.parse(`"${text}"`) as string,
)

/** The metrics of `pg-sessions/opentelemetry`, by the names that Prometheus gives to them. */
function metricsInPrometheus(): ReadonlySet<string> {
  const names = new Set<string>()
  const instrument = (kind: string) => (name: string, options?: { unit?: string }) => {
    const unit = options?.unit === 's' ? '_seconds' : ''
    const base = `${name.replaceAll('.', '_')}${unit}`
    if (kind === 'histogram')
      for (const end of ['bucket', 'sum', 'count']) names.add(`${base}_${end}`)
    else names.add(kind === 'counter' ? `${base}_total` : base)
    return { addCallback() {}, removeCallback() {}, add() {}, record() {} }
  }
  const meter = {
    createHistogram: instrument('histogram'),
    createCounter: instrument('counter'),
    createUpDownCounter: instrument('gauge'),
    createObservableGauge: instrument('gauge'),
  } as unknown as Meter
  recordMeasurements(meter, { count: async () => ({ live: 0, expired: 0 }) })()
  return names
}

test('each metric that the dashboard asks for is one that sessions record', () => {
  const known = metricsInPrometheus()
  const asked = queries.flatMap(
    (query) => query.match(/\b(?:pg_sessions|db_client)_\w+(?=\{)/g) ?? [],
  )
  expect(asked.length).toBeGreaterThanOrEqual(queries.length)
  expect(asked.filter((name) => !known.has(name))).toEqual([])
  const shown = (name: string): boolean => asked.includes(name) || /_(bucket|sum|count)$/.test(name)
  expect([...known].filter((name) => !shown(name))).toEqual([])
})

test('each attribute and event that the dashboard asks for is in the documents', () => {
  const attributes = readDocument('docs/telemetry.md').replaceAll('.', '_')
  const labels = queries.flatMap((query) =>
    [...query.matchAll(/(\w+)(?:=~?|!=)"|by \(([^)]*)\)/g)].flatMap(
      ([, name, list]) => name ?? list?.split(', ') ?? [],
    ),
  )
  const own = labels.filter((label) => !['job', 'le'].includes(label))
  expect(own.length).toBeGreaterThan(5)
  expect(own.filter((label) => !attributes.includes(`\`${label}\``))).toEqual([])
  const events = readDocument('docs/security.md')
  const asked = queries.flatMap(
    (query) => /pg_sessions_event=~"([^"]+)"/.exec(query)?.[1]?.split('|') ?? [],
  )
  expect(asked.filter((name) => !events.includes(`| \`${name}\` |`))).toEqual([])
})
