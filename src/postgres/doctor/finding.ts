/** How much a finding matters: sessions fail or can be lost; they will, or are slow; good to know. */
type Severity = 'error' | 'warning' | 'note'

/** Something that an operator should know, with what it does to users and what to do. */
export interface Finding {
  /** Names the kind, such as `purge-overdue`. Stable. */
  readonly code: string
  readonly severity: Severity
  /** What is so. */
  readonly what: string
  /** What it does to users. */
  readonly effect: string
  /** What mends it: a sentence, or a line of SQL. */
  readonly remedy: string
}
