import type {
  FastifyInstance, FastifyReply, FastifyRequest, HookHandlerDoneFunction, RegisterOptions,
  RouteShorthandOptions
} from 'fastify'

/** The Fastify route options that an application may set. */
export type TimeSocketRouteOptions = Omit<
  RouteShorthandOptions,
  'preValidation' | 'handlerTimeout' | 'websocket' | 'logLevel' | 'logSerializers' | 'onRequest' |
  'preHandler'
> & Pick<RegisterOptions, 'logLevel' | 'logSerializers'> & {
  onRequest?: TimeSocketHook | TimeSocketHook[]
  preHandler?: TimeSocketHook | TimeSocketHook[]
}

/**
 * A Fastify hook that gets request and reply, with a callback or async. Its request may be typed:
 * `FastifyRequest<{ Querystring: { token: string } }>`.
 */
export type TimeSocketHook = HookMethods['hook']

interface HookMethods {
  hook (
    this: FastifyInstance, request: FastifyRequest, reply: FastifyReply,
    done: HookHandlerDoneFunction
  ): void | Promise<unknown>
}
