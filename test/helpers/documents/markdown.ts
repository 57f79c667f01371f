/** A fenced code block. */
export interface Block {
  /** The word after the fence; empty if there is none. */
  readonly language: string
  readonly code: string
  /** The line of the file that the code begins on, from 1. */
  readonly line: number
}

/** A table, its cells trimmed and still Markdown. */
export interface Table {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

const FENCE = /^(\s*)(?:```|~~~)(\w*)/
const HEADING = /^#{1,6} (.*)$/

/** @throws when a block is indented, and so would escape its checks, or has no end. */
export function parseBlocks (markdown: string): Block[] {
  const blocks: Block[] = []
  let open: { language: string, line: number, lines: string[] } | undefined
  for (const [index, line] of markdown.split('\n').entries()) {
    const fence = FENCE.exec(line)
    if (open === undefined) {
      if (fence === null) continue
      const [, indent, language = ''] = fence
      if (indent !== '') throw new Error(`the code block of line ${index + 1} is indented`)
      open = { language, line: index + 2, lines: [] }
    } else if (fence === null) {
      open.lines.push(line)
    } else {
      blocks.push({ language: open.language, code: open.lines.join('\n') + '\n', line: open.line })
      open = undefined
    }
  }
  if (open !== undefined) throw new Error(`the code block of line ${open.line} has no end`)
  return blocks
}

/** The text without its code blocks: as many lines, those of the blocks empty. */
export function withoutBlocks (markdown: string): string {
  let inBlock = false
  return markdown.split('\n').map((line) => {
    const isFence = FENCE.test(line)
    const isText = !inBlock && !isFence
    if (isFence) inBlock = !inBlock
    return isText ? line : ''
  }).join('\n')
}

export function parseTables (markdown: string): Table[] {
  const tables: Table[] = []
  const lines = withoutBlocks(markdown).split('\n')
  let rows: string[][] = []
  for (const line of [...lines, '']) {
    if (line.startsWith('|')) {
      rows.push(parseCells(line))
    } else if (rows.length > 0) {
      const [columns = [], , ...others] = rows
      tables.push({ columns, rows: others })
      rows = []
    }
  }
  return tables
}

/** All tables whose first columns are these. */
export function findTables (markdown: string, ...columns: string[]): Table[] {
  return parseTables(markdown)
    .filter((table) => columns.every((column, index) => table.columns[index] === column))
}

/** The one table whose first columns are these. @throws when there is none, or there are two. */
export function findTable (markdown: string, ...columns: string[]): Table {
  const found = findTables(markdown, ...columns)
  const [table] = found
  if (table !== undefined && found.length === 1) return table
  throw new Error(`expected one table | ${columns.join(' | ')} |, found ${found.length}`)
}

/** The text under a heading, up to the next heading. @throws when there is no such heading. */
export function section (markdown: string, heading: string): string {
  const lines = markdown.split('\n')
  const texts = withoutBlocks(markdown).split('\n')
  const start = texts.findIndex((line) => HEADING.exec(line)?.[1] === heading)
  if (start === -1) throw new Error(`there is no heading "${heading}"`)
  const length = texts.slice(start + 1).findIndex((line) => HEADING.test(line))
  return lines.slice(start + 1, length === -1 ? undefined : start + 1 + length).join('\n')
}

/** What stands in backticks. */
export function codesIn (text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
}

/** The targets of all links and pictures. */
export function linksIn (markdown: string): string[] {
  const text = withoutBlocks(markdown).replace(/`[^`\n]*`/g, '')
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
}

/** The anchors of its headings, as GitHub names them. */
export function anchorsIn (markdown: string): string[] {
  const counts = new Map<string, number>()
  const lines = withoutBlocks(markdown).split('\n')
  const headings = lines.flatMap((line) => HEADING.exec(line)?.[1] ?? [])
  return headings.map((heading) => {
    const slug = heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-')
    const count = counts.get(slug) ?? 0
    counts.set(slug, count + 1)
    return count === 0 ? slug : `${slug}-${count}`
  })
}

/**
 * The relative links that lead nowhere, as `file: target`.
 *
 * @param files all Markdown files, by their path from the root.
 * @param exists whether there is a file or directory at this path from the root.
 */
export function brokenLinks (
  files: ReadonlyMap<string, string>, exists: (path: string) => boolean
): string[] {
  return [...files].flatMap(([file, markdown]) => linksIn(markdown)
    .filter((target) => !/^[a-z]+:/.test(target) && !leadsSomewhere(target, file))
    .map((target) => `${file}: ${target}`))

  function leadsSomewhere (target: string, from: string): boolean {
    const url = new URL(target, `file:///${from}`)
    const path = decodeURIComponent(url.pathname.slice(1))
    if (url.hash === '') return exists(path)
    return anchorsIn(files.get(path) ?? '').includes(url.hash.slice(1))
  }
}

function parseCells (line: string): string[] {
  const cells = line.split(/(?<!\\)\|/).slice(1, -1)
  return cells.map((cell) => cell.trim().replaceAll('\\|', '|'))
}
