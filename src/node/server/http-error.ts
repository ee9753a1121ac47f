// Answers that are not a success: kubelet sends plain text.

export class HttpError extends Error {
  readonly code: number;

  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The code and the text of whatever went wrong. */
export function httpErrorOf(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  return new HttpError(500, error instanceof Error ? error.message : String(error), { cause: error });
}
