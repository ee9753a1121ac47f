// The three functions of the Reflect metadata proposal that @peculiar/x509's injection container asks for when it is loaded.
// Import this file before that package.

const metadata = new WeakMap<object, Map<unknown, unknown>>();

const functions = {
  defineMetadata(key: unknown, value: unknown, target: object): void {
    const known = metadata.get(target) ?? new Map<unknown, unknown>();
    metadata.set(target, known.set(key, value));
  },
  getOwnMetadata(key: unknown, target: object): unknown {
    return metadata.get(target)?.get(key);
  },
  getMetadata(key: unknown, target: object): unknown {
    for (let holder: object | null = target; holder !== null; holder = Object.getPrototypeOf(holder)) {
      const known = metadata.get(holder);
      if (known?.has(key) === true) return known.get(key);
    }
    return undefined;
  },
};

for (const [name, value] of Object.entries(functions)) {
  if (!(name in Reflect)) Object.defineProperty(Reflect, name, { value, configurable: true, writable: true });
}
