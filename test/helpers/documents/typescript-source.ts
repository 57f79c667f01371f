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
