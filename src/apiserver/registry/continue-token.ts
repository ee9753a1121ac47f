// The opaque text by which a client asks for the rest of a list.
import { badRequest } from "../../machinery/index.ts";

export interface ContinueToken {
  /** The revision at which the whole list is told; undefined: whatever is newest. */
  readonly revision: number | undefined;
  /** The key of the last object told, without the prefix of the list. */
  readonly after: string;
}

interface TokenBody {
  readonly v: string;
  readonly rv: number;
  readonly start: string;
}

const VERSION = "meta.k8s.io/v1";
/** Stands for "newest" in a token. */
const NEWEST = -1;

export function encodeContinue({ revision, after }: ContinueToken): string {
  const body: TokenBody = { v: VERSION, rv: revision ?? NEWEST, start: `${after}\u0000` };
  return Buffer.from(JSON.stringify(body)).toString("base64url");
}

export function decodeContinue(text: string): ContinueToken {
  const body = parse(text);
  if (body?.v !== VERSION || typeof body.start !== "string" || !Number.isInteger(body.rv)) {
    throw badRequest("continue key is not valid: server does not recognize this encoded version");
  }
  return { revision: body.rv === NEWEST ? undefined : body.rv, after: body.start.replace(/\u0000$/, "") };
}

function parse(text: string): Partial<TokenBody> | null {
  try {
    return JSON.parse(Buffer.from(text, "base64url").toString("utf8")) as Partial<TokenBody> | null;
  } catch (error) {
    throw badRequest(`continue key is not valid: ${error instanceof Error ? error.message : String(error)}`);
  }
}
