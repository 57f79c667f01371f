type Arguments = (string | Buffer | number)[]

/** What is used of an ioredis client, `new Redis()`: version 5 or later, no Cluster. */
export interface RedisClient {
  readonly status: string
  call (command: string, args: Arguments): Promise<unknown>
  callBuffer (command: string, args: Arguments): Promise<unknown>
  connect (): Promise<unknown>
  disconnect (reconnect?: boolean): void
  duplicate (options?: object): RedisClient
  on (event: 'close' | 'ready', listener: () => void): unknown
  on (event: 'error', listener: (err: Error) => void): unknown
  off (event: 'ready', listener: () => void): unknown
}
