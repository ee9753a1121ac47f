// Requests on resources: query, body and headers become a call of the handler, its answer becomes bytes.

import type {
  GuardedHandler,
  ListOptions,
  PatchType,
  RequestScope,
  Resource,
  ResourceCatalog,
  Stored,
  StoredList,
} from "../../api/index.ts";
import type { Clock } from "../../base/index.ts";
import { hasProtobuf, statusError } from "../../machinery/index.ts";
import type { WatchObserver } from "../metrics/index.ts";
import { contentType, parseYaml, readBody, readJson, readObject, unsupported } from "./body.ts";
import type { Endpoint, Exchange } from "./exchange.ts";
import { header } from "./exchange.ts";
import type { UpgradeExchange } from "./http-front.ts";
import { listMeta, writeList } from "./list-writer.ts";
import { mediaTypes, negotiate, type Representation } from "./negotiation.ts";
import { deleteOptions, fieldManager, listOptions, readOptions, watchOptions, writeOptions } from "./options.ts";
import { factsOfAnswer, metaTypeFacts, storedBody } from "./protobuf-forms.ts";
import { patchForce, patchTypes, type ResourceCall, requiredObject, typeOfBody } from "./resource-body.ts";
import { setWarnings, wantsPretty, writeBody, writeJson, writeValue } from "./respond.ts";
import { includeObject, partialMetadata, partialMetadataList, type TableOptions, tableOf } from "./table.ts";
import { Turns } from "./turns.ts";
import { type FrameEncoder, metadataFrames, objectFrames, tableFrames, writeWatch } from "./watch-writer.ts";
import { acceptWebSocket, sendWatch } from "./web-socket.ts";

/** A resource request with what was found out about it. */
interface Call extends ResourceCall {
  readonly representation: Representation;
  readonly warnings: string[];
  scope(signal?: AbortSignal): RequestScope;
}

export interface ResourceEndpointOptions {
  readonly handler: GuardedHandler;
  readonly catalog: ResourceCatalog;
  readonly clock: Pick<Clock, "now">;
  readonly watchObserver?: WatchObserver;
}

export class ResourceEndpoint implements Endpoint {
  readonly #handler: GuardedHandler;
  readonly #catalog: ResourceCatalog;
  readonly #clock: Pick<Clock, "now">;
  readonly #watchObserver: WatchObserver | undefined;
  /** Of the watches. */
  readonly #turns = new Turns();

  constructor({ handler, catalog, clock, watchObserver }: ResourceEndpointOptions) {
    this.#watchObserver = watchObserver;
    this.#handler = handler;
    this.#catalog = catalog;
    this.#clock = clock;
  }

  async serve(exchange: Exchange): Promise<void> {
    const call = this.#callOf(exchange);
    try {
      await this.#answer(call);
    } catch (error) {
      // A request that is refused has its warnings all the same.
      if (!exchange.response.headersSent) setWarnings(exchange.response, call.warnings);
      throw error;
    }
  }

  #answer(call: Call): Promise<void> {
    switch (call.exchange.info.verb) {
      case "get":
        return this.#get(call);
      case "list":
        return this.#list(call);
      case "watch":
        return this.#watch(call);
      case "create":
        return this.#create(call);
      case "update":
        return this.#update(call);
      case "patch":
        return this.#patch(call);
      case "delete":
        return this.#delete(call);
      case "deletecollection":
        return this.#deleteCollection(call);
      default:
        throw methodNotAllowed();
    }
  }

  #callOf(exchange: Exchange): Call {
    const { info, request, user } = exchange;
    const resource = this.#catalog.find(info.group, info.version, info.resource);
    if (resource === undefined) throw resourceNotFound();
    if (info.namespace !== "" && !resource.namespaced) throw resourceNotFound();
    checkVerb(resource, exchange);
    const representation = negotiate(header(request, "accept"), {
      hasProtobuf: hasProtobuf(resource.facts),
      // What is only asked and never read has no columns.
      hasTable: resource.verbs.includes("get"),
      isStream: info.verb === "watch",
    });
    checkTransform(representation, resource, info.verb);
    const warnings: string[] = resource.deprecationWarning === undefined ? [] : [resource.deprecationWarning];
    const scope = (signal?: AbortSignal): RequestScope => ({
      user,
      resource,
      namespace: info.namespace,
      name: info.name,
      subresource: info.subresource,
      fieldManager: fieldManager(request, info.query),
      signal,
      warn: (text) => warnings.push(text),
      annotate: (key, value) => exchange.audit?.annotate(key, value),
    });
    return { exchange, resource, representation, warnings, scope };
  }

  async #get(call: Call): Promise<void> {
    this.#writeObject(call, 200, await this.#handler.get(call.scope(), readOptions(call.exchange.info.query)));
  }

  async #list(call: Call): Promise<void> {
    const { exchange, resource, representation } = call;
    const list = await this.#handler.list(call.scope(), listOptions(exchange.info.query));
    setWarnings(exchange.response, call.warnings);
    const { as, format, version } = representation;
    if (as === "Table") {
      writeValue(exchange, 200, tableOf(resource, list.items, listMeta(list), this.#tableOptions(call)), format);
    } else if (as !== undefined) {
      const partial = partialMetadataList(list.items, listMeta(list), version);
      writeValue(exchange, 200, partial, format, metaTypeFacts("PartialObjectMetadataList"));
    } else {
      await writePlainList(call, list);
    }
  }

  async #watch(call: Call): Promise<void> {
    const { exchange, representation } = call;
    const closed = new AbortController();
    exchange.response.once("close", () => closed.abort());
    const { query, name } = exchange.info;
    // A watch on one object is a watch on the collection that selects its name.
    const scope = { ...call.scope(closed.signal), name: "" };
    const batches = await this.#handler.watch(scope, { ...watchOptions(query, name), wake: this.#turns.enter });
    exchange.started?.();
    setWarnings(exchange.response, call.warnings);
    const { upgrade } = exchange as Exchange & Partial<UpgradeExchange>;
    const sent = (count: number) => this.#watchObserver?.sent(call.resource, count);
    const answer = { batches, encode: this.#frames(call), format: representation.format, signal: closed.signal, sent };
    if (upgrade === undefined) return writeWatch(exchange.response, answer);
    await sendWatch(await acceptWebSocket({ request: exchange.request, upgrade }), answer);
  }

  #frames(call: Call): FrameEncoder {
    const { resource, representation } = call;
    const { as, format, version } = representation;
    if (as === undefined) return objectFrames(resource, format);
    if (as !== "Table") return metadataFrames(format, version);
    return tableFrames(resource, this.#tableOptions(call), () => this.#clock.now());
  }

  #tableOptions({ exchange, representation }: Call): TableOptions {
    return { include: includeObject(exchange.info.query), nowMs: this.#clock.now(), version: representation.version };
  }

  /** The scope of a call that its user may make. Asked before a body is read: nobody is served who may not ask. */
  async #authorized(call: Call, selection?: ListOptions): Promise<RequestScope> {
    const scope = call.scope();
    const { verb } = call.exchange.info;
    const authorized = this.#handler.authorize(scope, verb, selection);
    if (authorized !== undefined) await authorized;
    return { ...scope, authorizedFor: verb };
  }

  async #create(call: Call): Promise<void> {
    const scope = await this.#authorized(call);
    const options = writeOptions(call.exchange.info.query, "CreateOptions");
    const { object, ...found } = await requiredObject(call, options);
    this.#writeObject(call, 201, await this.#handler.create(scope, object, { ...options, ...found }));
  }

  async #update(call: Call): Promise<void> {
    const scope = await this.#authorized(call);
    const options = writeOptions(call.exchange.info.query, "UpdateOptions");
    const { object, ...found } = await requiredObject(call, options);
    const { stored, created } = await this.#handler.update(scope, object, { ...options, ...found });
    this.#writeObject(call, created ? 201 : 200, stored);
  }

  async #patch(call: Call): Promise<void> {
    const scope = await this.#authorized(call);
    const { request, info } = call.exchange;
    const type = contentType(request);
    if (!patchTypes.has(type)) throw unsupported([...patchTypes].join(", "));
    const options = { ...writeOptions(info.query, "PatchOptions"), type: type as PatchType, force: patchForce(type, info.query) };
    const body = await readBody(request);
    const patch = type === "application/apply-patch+yaml" ? parseYaml(body) : readJson(body).value;
    call.exchange.audit?.sawRequest(patch as object);
    const { stored, created } = await this.#handler.patch(scope, patch, options);
    this.#writeObject(call, created ? 201 : 200, stored);
  }

  async #delete(call: Call): Promise<void> {
    const scope = await this.#authorized(call);
    const { exchange } = call;
    const options = deleteOptions(exchange.info.query, (await readObject(exchange.request, { typeOf: typeOfBody(call) }))?.object);
    const result = await this.#handler.delete(scope, options);
    if ("stored" in result) this.#writeObject(call, 200, result.stored);
    else {
      setWarnings(exchange.response, call.warnings);
      writeValue(exchange, 200, result.status, call.representation.format, metaTypeFacts("Status"));
    }
  }

  async #deleteCollection(call: Call): Promise<void> {
    const { exchange } = call;
    const { query } = exchange.info;
    const selection = listOptions(query);
    const scope = await this.#authorized(call, selection);
    const options = deleteOptions(query, (await readObject(exchange.request, { typeOf: typeOfBody(call) }))?.object);
    const list = await this.#handler.deleteCollection(scope, options, selection);
    setWarnings(exchange.response, call.warnings);
    await writePlainList(call, list);
  }

  #writeObject(call: Call, code: number, stored: Stored): void {
    const { exchange, resource, representation } = call;
    const { as, format, version } = representation;
    setWarnings(exchange.response, call.warnings);
    exchange.audit?.sawResponse(stored.object);
    if (as === "Table" && exchange.info.subresource === "") {
      const { resourceVersion } = stored.object.metadata;
      writeValue(exchange, code, tableOf(resource, [stored], { resourceVersion }, this.#tableOptions(call)), format);
    } else if (as === "PartialObjectMetadata") {
      writeValue(exchange, code, partialMetadata(stored.object, version), format, metaTypeFacts("PartialObjectMetadata"));
    } else if (format === "json") {
      writeJson(exchange, code, stored.json);
    } else if (format === "protobuf") {
      const facts = factsOfAnswer(stored.object, resource, exchange.info.subresource);
      writeBody(exchange, code, storedBody(stored, facts), mediaTypes.protobuf);
    } else {
      writeValue(exchange, code, stored.object, format);
    }
  }
}

/** The objects themselves: item by item where that can be done, as a whole for people and in the rarer formats. */
async function writePlainList({ exchange, resource, representation }: Call, list: StoredList): Promise<void> {
  const { format } = representation;
  if (format === "protobuf" || (format === "json" && !wantsPretty(exchange))) {
    await writeList(exchange, resource, list, format);
    return;
  }
  const { listKind, apiVersion } = resource;
  const whole = { kind: listKind, apiVersion, metadata: listMeta(list), items: list.items.map((item) => item.object) };
  writeValue(exchange, 200, whole, format);
}

/** Metadata of one is not that of many. */
function checkTransform({ as }: Representation, { kind, group, listKind }: Resource, verb: string): void {
  const goPackage = group === "" ? "core" : (group.split(".")[0] ?? "");
  if (as === "PartialObjectMetadata" && verb === "list") {
    throw statusError(
      "NotAcceptable",
      `you requested PartialObjectMetadata, but the requested object is a list (*${goPackage}.${listKind})`,
    );
  }
  if (as === "PartialObjectMetadataList" && verb !== "list" && verb !== "watch") {
    throw statusError(
      "NotAcceptable",
      `you requested PartialObjectMetadataList, but the requested object is not a list (*${goPackage}.${kind})`,
    );
  }
}

function checkVerb(resource: Resource, { info }: Exchange): void {
  const row = info.subresource === "" ? resource : resource.subresources[info.subresource];
  if (row === undefined) throw resourceNotFound();
  const isOnCollection = info.name === "" || info.subresource !== "";
  const isOnObject = info.name !== "";
  const fits = info.verb === "create" ? isOnCollection : info.verb === "update" || info.verb === "patch" ? isOnObject : true;
  if (!fits || !row.verbs.includes(info.verb)) throw methodNotAllowed();
  // Writing a namespaced object needs its namespace; POST of reviews and bindings too.
  const needsNamespace = resource.namespaced && info.namespace === "" && info.verb !== "list" && info.verb !== "watch";
  if (needsNamespace) throw info.name === "" ? methodNotAllowed() : resourceNotFound();
}

export function resourceNotFound(): Error {
  return statusError("NotFound", "the server could not find the requested resource", {});
}

export function methodNotAllowed(): Error {
  return statusError("MethodNotAllowed", "the server does not allow this method on the requested resource", {});
}
