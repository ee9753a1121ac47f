// Which labels of its node a pod gets when it is bound.

type Labels = Readonly<Record<string, string>>;

const COPIED = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"];

/** Undefined: none. */
export function podTopologyLabels(nodeLabels: Labels = {}): Labels | undefined {
  const labels = COPIED.flatMap((key): [string, string][] => {
    const value = nodeLabels[key];
    return value === undefined ? [] : [[key, value]];
  });
  return labels.length === 0 ? undefined : Object.fromEntries(labels);
}
