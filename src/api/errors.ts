import { createError } from '@fastify/error'

/**
 * Registration: an option is unknown, of the wrong type or out of range. Nothing was
 * registered.
 */
export const InvalidOptionError = createError<[option: string, expected: string, received: string]>(
  'FST_TIME_SOCKET_INVALID_OPTION',
  'time socket option "%s" must be %s, got %s',
  500,
  TypeError
)

/** Registration: `app.timeSocket`, or this name on it, belongs to an earlier registration. */
export const NamespaceTakenError = createError<[name: string, remedy: string]>(
  'FST_TIME_SOCKET_NAMESPACE_TAKEN',
  '%s has already been registered, %s',
  500
)

/** A method of ours was called with what it cannot take. Nothing was sent or closed. */
export const InvalidArgumentError = createError<
  [argument: string, expected: string, received: string]
>(
  'FST_TIME_SOCKET_INVALID_ARGUMENT',
  '%s must be %s, got %s',
  500,
  TypeError
)

/** `broadcast` with `at`: too many scheduled broadcasts are pending. Nothing was sent. */
export const TooManyScheduledError = createError(
  'FST_TIME_SOCKET_TOO_MANY_SCHEDULED',
  'no more than 1000 scheduled broadcasts may be pending',
  500,
  RangeError
)

/** Request or upgrade refused: its `Origin` is not among those that the option `origin` allows. */
export const OriginForbiddenError = createError(
  'FST_TIME_SOCKET_ORIGIN_FORBIDDEN',
  'pages of this origin may not use the time socket',
  403
)

/** Request or upgrade refused: `maxClients` connections are open or being opened. */
export const TooManyClientsError = createError(
  'FST_TIME_SOCKET_TOO_MANY_CLIENTS',
  'the time socket has no room for another client',
  503
)

/** Request or upgrade refused: `maxClientsPerIp` of them come from this address. */
export const TooManyClientsFromIpError = createError(
  'FST_TIME_SOCKET_TOO_MANY_CLIENTS_FROM_IP',
  'the time socket has no room for another client from this address',
  429
)

/** Upgrade refused: subprotocols were offered, and none of them is spoken here. */
export const UnsupportedProtocolError = createError<[supported: string]>(
  'FST_TIME_SOCKET_UNSUPPORTED_PROTOCOL',
  'none of the offered subprotocols is supported (supported: %s)',
  400
)

/** Request or upgrade refused: nobody answered it within `handshakeTimeout`. */
export const HandshakeTimeoutError = createError(
  'FST_TIME_SOCKET_HANDSHAKE_TIMEOUT',
  'the time socket took too long to answer',
  503
)

/** Request or upgrade refused: this time socket is closing or closed. */
export const UnavailableError = createError(
  'FST_TIME_SOCKET_UNAVAILABLE',
  'the time socket is shutting down',
  503
)

/** Request or upgrade refused: the permission that `expiresAt` tells of has ended. */
export const ExpiredError = createError(
  'FST_TIME_SOCKET_EXPIRED',
  'the permission to connect has expired',
  401
)

/** A backplane was used after its `close()`. Each application needs one of its own. */
export const BackplaneClosedError = createError(
  'FST_TIME_SOCKET_BACKPLANE_CLOSED',
  'the backplane has been closed',
  500
)
