/** A table in plain text: the first columns to the left, numbers to the right. */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  textColumns: number,
): string {
  const widths = header.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return column < textColumns ? cell.padEnd(width) : cell.padStart(width)
      })
      .join('  ')
      .trimEnd()
  const rule = widths.map((width) => '-'.repeat(width)).join('  ')
  return [line(header), rule, ...rows.map(line)].join('\n')
}

/** Three digits, which is more than a busy machine can tell. */
export function digits(value: number | null): string {
  if (value === null || Number.isNaN(value)) return '-'
  if (value === 0) return '0'
  if (Math.abs(value) >= 100) return String(Math.round(value))
  return value.toPrecision(value < 0.01 ? 1 : 3)
}

export function times(value: number | null, base: number | null): string {
  return value === null || base === null || base === 0 ? '-' : `${digits(value / base)} x`
}
