import { createError } from '@fastify/error'

/** An option is unknown, of the wrong type or out of range. Nothing was registered. */
export const InvalidOptionError = createError<[option: string, expected: string, received: string]>(
  'FST_TIME_SOCKET_INVALID_OPTION',
  'time socket option "%s" must be %s, got %s',
  500,
  TypeError
)

/**
 * `app.timeSocket`, or this namespace, belongs to an earlier registration. Nothing was registered.
 */
export const NamespaceTakenError = createError<[name: string, remedy: string]>(
  'FST_TIME_SOCKET_NAMESPACE_TAKEN',
  '%s has already been registered: %s',
  500
)

/** A method was called with an argument that it does not accept. Nothing was sent or closed. */
export const InvalidArgumentError = createError<
  [argument: string, expected: string, received: string]
>(
  'FST_TIME_SOCKET_INVALID_ARGUMENT',
  '%s must be %s, got %s',
  500,
  TypeError
)

/** 1000 scheduled broadcasts are pending already. Nothing was sent. */
export const TooManyScheduledError = createError(
  'FST_TIME_SOCKET_TOO_MANY_SCHEDULED',
  'no more than 1000 scheduled broadcasts may be pending',
  500,
  RangeError
)

/** Refuses a request or an upgrade whose `Origin` the option `origin` does not allow. */
export const OriginForbiddenError = createError<[origin: string, host: string]>(
  'FST_TIME_SOCKET_ORIGIN_FORBIDDEN',
  'pages of origin %s may not use the time socket of host %s',
  403
)

/** Refuses an upgrade: `maxClients` connections are open or being opened. */
export const TooManyClientsError = createError(
  'FST_TIME_SOCKET_TOO_MANY_CLIENTS',
  'the time socket has no room for another client',
  503
)

/** Refuses an upgrade: `maxClientsPerIp` connections of this address are open or being opened. */
export const TooManyClientsFromIpError = createError(
  'FST_TIME_SOCKET_TOO_MANY_CLIENTS_FROM_IP',
  'the time socket has no room for another client from this address',
  429
)

/** Refuses an upgrade that offers only subprotocols that this server does not know. */
export const UnsupportedProtocolError = createError<[supported: string]>(
  'FST_TIME_SOCKET_UNSUPPORTED_PROTOCOL',
  'none of the offered subprotocols is supported (supported: %s)',
  400
)

/**
 * Refuses a WebSocket handshake that arrives as a plain request: the `Upgrade` header is missing
 * because a proxy has not forwarded it, or the request has a body.
 */
export const UpgradeRequiredError = createError(
  'FST_TIME_SOCKET_UPGRADE_REQUIRED',
  'a WebSocket handshake must have the header "Upgrade: websocket" (a proxy may have removed it) and no body',
  426
)

/** Refuses a request or an upgrade that has not been answered within `handshakeTimeout`. */
export const HandshakeTimeoutError = createError(
  'FST_TIME_SOCKET_HANDSHAKE_TIMEOUT',
  'the time socket took too long to answer',
  503
)

/** Refuses a request or an upgrade because this time socket is closing or closed. */
export const UnavailableError = createError(
  'FST_TIME_SOCKET_UNAVAILABLE',
  'the time socket is shutting down',
  503
)

/** Refuses a request or an upgrade whose permission, by `expiresAt`, has already ended. */
export const ExpiredError = createError(
  'FST_TIME_SOCKET_EXPIRED',
  'the permission to connect has expired',
  401
)

/** A backplane was used after its `close()`. Each application needs a backplane of its own. */
export const BackplaneClosedError = createError(
  'FST_TIME_SOCKET_BACKPLANE_CLOSED',
  'the backplane has been closed',
  500
)
