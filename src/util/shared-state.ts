/**
 * Returns state that all copies of this package in the process share. A process may load several
 * copies: two versions in node_modules, or the ES modules beside the CommonJS build.
 *
 * @param name names the state and its shape, on which other versions of this package rely.
 */
export function sharedState<State> (name: string, create: () => State): State {
  const key = Symbol.for(`fastify-time-socket:${name}`)
  const holder = globalThis as { [key: symbol]: unknown }
  holder[key] ??= create()
  return holder[key] as State
}
