export { decodeMessage, decodeProtobuf } from "./decode.ts";
export { encodeEnvelope, encodeMessage, encodeWatchFrame, envelopeHead, fieldHead } from "./encode.ts";
export { hasProtobuf } from "./layout.ts";
