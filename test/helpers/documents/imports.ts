import ts from 'typescript'

/** One place where a file names another module. */
export interface Import {
  /** As it is written: `./clients.js`, `node:net`. */
  readonly specifier: string
  /** Whether nothing is left of it once it is compiled. */
  readonly isTypeOnly: boolean
}

/** All imports of a JavaScript or TypeScript file, in order, whatever their form. */
export function importsOf (source: string): Import[] {
  const imports: Import[] = []
  collect(ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest))
  return imports

  function collect (node: ts.Node): void {
    const { specifier, isTypeOnly } = partsOf(node) ?? {}
    if (specifier !== undefined && isTypeOnly !== undefined && ts.isStringLiteral(specifier)) {
      imports.push({ specifier: specifier.text, isTypeOnly })
    }
    ts.forEachChild(node, collect)
  }
}

/** The name of the package that an import leads to; undefined if it leads to a file of ours. */
export function packageOf (specifier: string): string | undefined {
  if (specifier.startsWith('.')) return undefined
  if (specifier.startsWith('node:')) return specifier
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

interface Parts {
  readonly specifier: ts.Node | undefined
  readonly isTypeOnly: boolean
}

function partsOf (node: ts.Node): Parts | undefined {
  if (ts.isImportDeclaration(node)) {
    const isTypeOnly = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
    return { specifier: node.moduleSpecifier, isTypeOnly }
  }
  if (ts.isExportDeclaration(node)) {
    return { specifier: node.moduleSpecifier, isTypeOnly: node.isTypeOnly }
  }
  if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference)) {
    return { specifier: node.moduleReference.expression, isTypeOnly: node.isTypeOnly }
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return { specifier: node.argument.literal, isTypeOnly: true }
  }
  // An augmentation: `declare module 'fastify'`.
  if (ts.isModuleDeclaration(node)) return { specifier: node.name, isTypeOnly: true }
  if (ts.isCallExpression(node) && isLoader(node.expression)) {
    return { specifier: node.arguments[0], isTypeOnly: false }
  }
  return undefined
}

function isLoader (callee: ts.Expression): boolean {
  const isRequire = ts.isIdentifier(callee) && callee.text === 'require'
  return isRequire || callee.kind === ts.SyntaxKind.ImportKeyword
}
