// What an image's name says about pulling it.

/** `Always` for an image without tag and digest, or with tag `latest`; else `IfNotPresent`. */
export function defaultPullPolicy(image: string | undefined): "Always" | "IfNotPresent" {
  const name = image ?? "";
  if (name.includes("@")) {
    const tag = tagOf(name.slice(0, name.indexOf("@")));
    return tag === "latest" ? "Always" : "IfNotPresent";
  }
  const tag = tagOf(name);
  return tag === "" || tag === "latest" ? "Always" : "IfNotPresent";
}

function tagOf(name: string): string {
  const colon = name.lastIndexOf(":");
  return colon > name.lastIndexOf("/") ? name.slice(colon + 1) : "";
}
