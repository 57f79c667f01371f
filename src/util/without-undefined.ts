/** A copy without the fields that are `undefined`: such an option counts as absent. */
export function withoutUndefined<Fields extends object> (fields: Fields): Defined<Fields> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as Defined<Fields>
}

type Defined<Fields> = { [Name in keyof Fields]: Exclude<Fields[Name], undefined> }
