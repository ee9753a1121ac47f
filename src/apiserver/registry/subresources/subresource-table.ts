// Which subresources answer in a way of their own. All others change part of their object (see update-rules.ts).
import type { RequestScope } from "../../../api/index.ts";
import type { Authorizer } from "../../authz/authorizer.ts";
import { createBinding } from "./binding.ts";
import { createEviction } from "./eviction.ts";
import { reviewHandlers, type TokenReviewer } from "./reviews.ts";
import { scaleProjection } from "./scale.ts";
import type { CreateSubresource, Projection } from "./subresource.ts";
import { createToken, type TokenIssuer } from "./token.ts";

export interface SubresourceTools {
  readonly authorizer: Authorizer;
  readonly tokenIssuer?: TokenIssuer | undefined;
  readonly reviewToken?: TokenReviewer | undefined;
}

export class SubresourceTable {
  /** By `group/plural/subresource`. */
  readonly #creators: ReadonlyMap<string, CreateSubresource>;
  /** By `group/plural`: resources that are asked and not stored. */
  readonly #virtual: ReadonlyMap<string, CreateSubresource>;

  constructor(tools: SubresourceTools) {
    const creators: [string, CreateSubresource][] = [
      ["/pods/binding", createBinding],
      ["/pods/eviction", createEviction],
    ];
    if (tools.tokenIssuer !== undefined) creators.push(["/serviceaccounts/token", createToken(tools.tokenIssuer)]);
    this.#creators = new Map(creators);
    this.#virtual = reviewHandlers(tools);
  }

  /** What answers a POST; undefined: an object is to be created. */
  creator({ resource, subresource }: RequestScope): CreateSubresource | undefined {
    const id = `${resource.group}/${resource.resource}`;
    return subresource === "" ? this.#virtual.get(id) : this.#creators.get(`${id}/${subresource}`);
  }

  projection({ subresource }: RequestScope): Projection | undefined {
    return subresource === "scale" ? scaleProjection : undefined;
  }
}
