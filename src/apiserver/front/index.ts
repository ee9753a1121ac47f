export * from "./exchange.ts";
export * from "./http-front.ts";
export { parseRequest, type RequestInfo } from "./request-info.ts";
export * from "./resource-endpoint.ts";
