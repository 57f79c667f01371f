/** What to do about an error of Redis or of a client, by a pattern that its message matches. */
const REMEDIES: readonly [pattern: RegExp, remedy: (key: string) => string][] = [
  [/^(MOVED|ASK|CROSSSLOT)\b/, () => 'This Redis is a node of a cluster: pass a client for ' +
    'clusters, such as new Redis.Cluster() of ioredis.'],
  [/^READONLY\b/, () => 'This Redis is a read-only replica: connect to the primary. ' +
    'After a failover the driver reconnects by itself.'],
  [/^NOPERM\b/, (key) => `The Redis user needs the rights +xadd +xread +xrevrange ~${key}, and in ` +
    'a cluster +cluster|slots.'],
  [/^(WRONGPASS|NOAUTH)\b|invalid password/, () => 'Check the user name and the password of the ' +
    'client.'],
  [/^WRONGTYPE\b/, (key) => `The key "${key}" is used for something else: choose another one with ` +
    'the option "key".'],
  [/unknown command/i, () => 'This Redis is older than version 5 and has no streams (6.2 or later is ' +
    'recommended), or the command has been disabled.'],
  [/^OOM\b/, () => 'Redis has reached its maxmemory: raise it, or lower the option "maxBytes".'],
  [/^MISCONF\b/, () => 'Redis cannot save its data to disk: see its log.'],
  [/^NOREPLICAS\b/, () => 'Redis has fewer replicas than min-replicas-to-write.'],
  [/^CLUSTERDOWN\b|refresh slots cache/, () => 'No node of the cluster serves this key now: check ' +
    'the cluster\'s state.'],
  [/ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT/, () => 'Check the host and the port of the client, ' +
    'and that Redis runs there.']
]

/** Errors after which a new connection may lead to another server. */
const ELSEWHERE = /^(READONLY|MOVED|CLUSTERDOWN|MASTERDOWN|NOAUTH|UNBLOCKED|LOADING)\b/

/** Returns an error that names cause and remedy, with the original error as its `cause`. */
export function explainError (err: unknown, key: string): Error {
  if (err instanceof ExplainedError) return err
  const text = textOf(err)
  const remedy = REMEDIES.find(([pattern]) => pattern.test(text))?.[1](key)
  return new ExplainedError(remedy === undefined ? text : `${text}. ${remedy}`, { cause: err })
}

/** True if a new connection may help, because this one leads to the wrong server. */
export function isOfWrongServer (err: unknown): boolean {
  return ELSEWHERE.test(Object(err).message)
}

/** True if Redis does not know the argument MINID of XADD, as before version 6.2. */
export function isMinIdUnknown (err: unknown): boolean {
  return /^ERR (syntax error|Invalid stream ID)/.test(Object(err).message)
}

class ExplainedError extends Error {}

/** If all addresses of a host fail, the error of Node.js has a code, but an empty message. */
function textOf (err: unknown): string {
  const { message, code } = Object(err)
  return String(message || code || err)
}
