import type { Result } from './result.ts'

export function writeCharts(_result: Result, _folder: string): void {}
