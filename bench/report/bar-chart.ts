import { BarChart, LineChart } from 'echarts/charts'
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'

use([BarChart, LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer])

/** Bars that lie, one below the other, each in parts. */
export interface Bars {
  readonly title: string
  /** What the numbers are. */
  readonly unit: string
  readonly parts: readonly string[]
  readonly bars: readonly Bar[]
}

export interface Bar {
  readonly label: string
  /** In the order of the parts. */
  readonly values: readonly number[]
  /** Ours, among others'. */
  readonly isOwn: boolean
}

/** Grey that can be read on white and on black, since a page may be either. */
const TEXT = '#7d8590'
const FAINT = '#7d859055'
const OWN = ['#2f81f7', '#79b8ff', '#b6d7ff']
const OTHERS = ['#8b949e', '#b1bac4', '#d0d7de']

const FONT = { color: TEXT, fontFamily: 'system-ui, sans-serif', fontSize: 12 }

/** Draws bars as SVG. */
export function drawBars({ title, unit, parts, bars }: Bars): string {
  const chart = init(null, null, {
    renderer: 'svg',
    ssr: true,
    width: 760,
    height: 84 + 24 * bars.length,
  })
  const totals = bars.map(({ values }) => values.reduce((sum, value) => sum + value, 0))
  const space = Math.max(...bars.map(({ label }) => label.length)) * 6.4 + 12
  chart.setOption({
    animation: false,
    textStyle: FONT,
    title: { text: title, subtext: unit, textStyle: { ...FONT, fontSize: 14 }, subtextStyle: FONT },
    grid: { left: space, right: 60, top: 56, bottom: 24 },
    xAxis: { type: 'value', splitLine: { lineStyle: { color: FAINT } }, axisLabel: FONT },
    yAxis: {
      type: 'category',
      inverse: true,
      data: bars.map(({ label }) => label),
      axisLabel: FONT,
      axisTick: { show: false },
      axisLine: { lineStyle: { color: FAINT } },
    },
    series: parts.map((name, part) => ({
      name,
      type: 'bar',
      stack: 'all',
      barWidth: 15,
      data: bars.map(({ values, isOwn }) => ({
        value: values[part] ?? 0,
        itemStyle: { color: (isOwn ? OWN : OTHERS)[part] ?? TEXT },
      })),
      label: {
        ...FONT,
        show: part === parts.length - 1,
        position: 'right',
        formatter: ({ dataIndex }: { dataIndex: number }) => readable(totals[dataIndex] ?? 0),
      },
    })),
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return `${svg}\n`
}

function readable(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(2)
}
