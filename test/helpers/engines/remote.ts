import { once } from 'node:events'
import { WebSocket } from 'ws'
import { within } from '../network/wait.js'

/** The remote end of a browser: WebDriver BiDi and Chromium's protocol have the same form. */
export interface Remote {
  /** @throws with the browser's answer when the command fails, or when it takes too long. */
  send<Result> (method: string, params?: object, sessionId?: string): Promise<Result>
  /** Calls the listener with the params of each event of that name. */
  on<Params> (event: string, listener: (params: Params) => void): void
  close (): void
}

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: unknown
  readonly result?: unknown
  readonly error?: unknown
}

/** Longer than any script of the tests runs. */
const LIMIT_MS = 180_000

export async function connectRemote (url: string): Promise<Remote> {
  const socket = new WebSocket(url, { perMessageDeflate: false })
  await within(once(socket, 'open'), `connecting to ${url}`)
  const waiting = new Map<number, (message: Message) => void>()
  const listeners = new Map<string, (params: never) => void>()
  let lastId = 0
  socket.on('error', () => {})
  socket.on('message', (data) => {
    const { id, method, params, ...answer }: Message = JSON.parse(String(data))
    if (method !== undefined) listeners.get(method)?.(params as never)
    if (id !== undefined) waiting.get(id)?.(answer)
  })
  socket.on('close', () => {
    for (const settle of waiting.values()) settle({ error: 'the browser has ended' })
  })

  return {
    async send<Result> (method: string, params: object = {}, sessionId?: string) {
      const id = ++lastId
      const answered = new Promise<Message>((resolve) => waiting.set(id, resolve))
      socket.send(JSON.stringify({ id, method, params, sessionId }))
      try {
        const answer = await within(answered, `the answer to ${method}`, LIMIT_MS)
        if (answer.error !== undefined) throw new Error(`${method}: ${JSON.stringify(answer)}`)
        return answer.result as Result
      } finally {
        waiting.delete(id)
      }
    },
    on (event, listener) {
      listeners.set(event, listener)
    },
    close: () => socket.terminate()
  }
}
