import ts from 'typescript'

/** The members of an interface, in order. @throws when `source` declares no such interface. */
export function membersOf (source: string, name: string): string[] {
  const found = declarations(source).find((node) =>
    ts.isInterfaceDeclaration(node) && node.name.text === name)
  if (found === undefined) throw new Error(`there is no interface ${name}`)
  const { members } = found as ts.InterfaceDeclaration
  // A getter and its setter are one member.
  return [...new Set(members.map((member) => member.name?.getText() ?? ''))]
}

/** The public members of a class's instances, in order. @throws when there is no such class. */
export function publicMembersOf (source: string, name: string): string[] {
  const found = declarations(source).find((node) =>
    ts.isClassDeclaration(node) && node.name?.text === name)
  if (found === undefined) throw new Error(`there is no class ${name}`)
  return (found as ts.ClassDeclaration).members.flatMap((member) => {
    const flags = ts.getCombinedModifierFlags(member)
    const isHidden = (flags & (ts.ModifierFlags.Static | ts.ModifierFlags.Private)) !== 0
    const memberName = member.name !== undefined && ts.isIdentifier(member.name)
      ? member.name.text
      : undefined
    return isHidden || memberName === undefined ? [] : memberName
  })
}

/** The strings that a type is the union of. @throws when `source` declares no such type. */
export function literalsOf (source: string, name: string): string[] {
  const found = declarations(source).find((node) =>
    ts.isTypeAliasDeclaration(node) && node.name.text === name)
  if (found === undefined) throw new Error(`there is no type ${name}`)
  const { type } = found as ts.TypeAliasDeclaration
  const types = ts.isUnionTypeNode(type) ? [...type.types] : [type]
  return types.flatMap((node) =>
    ts.isLiteralTypeNode(node) && ts.isStringLiteral(node.literal) ? node.literal.text : [])
}

function declarations (source: string): readonly ts.Statement[] {
  return ts.createSourceFile('source.ts', source, ts.ScriptTarget.ES2022, true).statements
}

/**
 * The lines that `log.info('…')` and its like write, as `info message`. A part that is only
 * known at run time is `…`. Where one call may write at two levels, the first one counts.
 */
export function logLinesIn (source: string): string[] {
  const file = ts.createSourceFile('source.ts', source, ts.ScriptTarget.ES2022, true)
  const lines: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      const [level] = loggedLevels(node.expression)
      const message = node.arguments.at(-1)
      if (level !== undefined && message !== undefined) lines.push(`${level} ${textOf(message)}`)
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return lines
}

const LEVELS = ['error', 'warn', 'info', 'debug']

/** The levels in `log.level` or `log[condition ? 'level' : 'level']`. */
function loggedLevels (callee: ts.Expression): string[] {
  if (!ts.isPropertyAccessExpression(callee) && !ts.isElementAccessExpression(callee)) return []
  if (!/\blog\)?$/.test(callee.expression.getText())) return []
  const name = ts.isPropertyAccessExpression(callee) ? callee.name : callee.argumentExpression
  return LEVELS.filter((level) => new RegExp(`\\b${level}\\b`).test(name.getText()))
}

function textOf (node: ts.Expression): string {
  if (ts.isBinaryExpression(node)) return textOf(node.left) + textOf(node.right)
  if (ts.isTemplateExpression(node)) {
    return `${node.head.text}…${node.templateSpans.map(({ literal }) => literal.text).join('…')}`
  }
  return ts.isStringLiteralLike(node) ? node.text : '…'
}
