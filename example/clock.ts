import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import timeSocket from 'fastify-time-socket'
import type { TimeSocket } from 'fastify-time-socket'

declare module 'fastify-time-socket' {
  interface TimeSocketNamespaces {
    clock: TimeSocket
  }
}

/** Where the page finds the library that draws its plots. */
const UPLOT = new URL('.', import.meta.resolve('uplot'))

/** The time socket of the page that shows what a clock knows, and the library that draws it. */
export async function clock (app: FastifyInstance): Promise<void> {
  await app.register(timeSocket, {
    url: '/time', namespace: 'clock', interval: 1000, logLevel: 'warn'
  })
  await app.register(fastifyStatic, {
    root: UPLOT, prefix: '/uplot/', decorateReply: false, logLevel: 'warn'
  })
}
