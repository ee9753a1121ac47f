// What a client's call rejects with when the server cannot be reached or the connection breaks.

export class ConnectionError extends Error {
  readonly code = "CONNECTION_FAILED";

  constructor(message: string, cause: unknown) {
    super(message, { cause });
  }
}

export const isConnectionError = (error: unknown): boolean => error instanceof ConnectionError;
