// Image references as containerd writes them: with registry, path and tag.

/** `busybox` → `docker.io/library/busybox:latest`. */
export function normaliseReference(text: string): string {
  const [name = "", digest] = text.split("@", 2);
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const hasRegistry = first === "localhost" || /[.:]/.test(first);
  const registry = hasRegistry ? (first === "index.docker.io" ? "docker.io" : first) : "docker.io";
  const rest = hasRegistry ? name.slice(slash + 1) : name;
  const path = registry === "docker.io" && !rest.includes("/") ? `library/${rest}` : rest;
  if (digest !== undefined) return `${registry}/${path}@${digest}`;
  return `${registry}/${path}${path.slice(path.lastIndexOf("/") + 1).includes(":") ? "" : ":latest"}`;
}
