/** What is read of a node of `EXPLAIN (FORMAT JSON)`. */
interface PlanNode {
  readonly 'Node Type': string
  readonly Operation?: string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'CTE Name'?: string
  readonly 'Subplan Name'?: string
  readonly 'Join Type'?: string
  readonly Plans?: readonly PlanNode[]
}

/**
 * A plan as a tree of what is done to what, by which index; without costs, conditions and columns.
 *
 * The ways to read a table by an index are one here: which of them PostgreSQL takes depends on its
 * version and its estimates, and each reads no more than the rows it is after.
 */
export function readPlan(explained: unknown): string {
  const [{ Plan }] = explained as [{ Plan: PlanNode }]
  return lines(Plan, 1).join('\n')
}

function lines(node: PlanNode, depth: number): string[] {
  const children = node.Plans ?? []
  const bitmap = children.find((child) => child['Node Type'] === 'Bitmap Index Scan')
  const index = bitmap?.['Index Name'] ?? node['Index Name']
  // Versions before 17 also name the parameter that a subplan sets. The numbers count parameters too.
  const subplan = node['Subplan Name']?.replace(/ \d+( \(returns .*\))?$/, '')
  const words = [
    subplan === undefined ? '' : `${subplan}:`,
    index === undefined ? (node.Operation ?? node['Node Type']) : `Lookup by ${index}`,
    on(node['Relation Name'] ?? node['CTE Name']),
    node['Join Type'] === undefined ? '' : `(${node['Join Type']})`,
  ]
  const line = '  '.repeat(depth) + words.filter((word) => word !== '').join(' ')
  const below = children.filter((child) => child !== bitmap && !isParameter(child))
  return [line, ...below.flatMap((child) => lines(child, depth + 1))]
}

/** A parameter that is hidden from the planner: no work, and numbered differently by each version. */
function isParameter(node: PlanNode): boolean {
  const isInitPlan = node['Subplan Name']?.startsWith('InitPlan') ?? false
  return isInitPlan && node['Node Type'] === 'Result' && node.Plans === undefined
}

function on(name: string | undefined): string {
  return name === undefined ? '' : `on ${name}`
}
