// For tests: the part of reflect-metadata that @peculiar/x509's injector looks for. Import it before that library.

const metadata = new WeakMap<object, Map<unknown, unknown>>();

Object.assign(Reflect, {
  defineMetadata(key: unknown, value: unknown, target: object): void {
    const own = metadata.get(target) ?? new Map<unknown, unknown>();
    metadata.set(target, own.set(key, value));
  },
  getMetadata: (key: unknown, target: object): unknown => metadata.get(target)?.get(key),
  getOwnMetadata: (key: unknown, target: object): unknown => metadata.get(target)?.get(key),
});
