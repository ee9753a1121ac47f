// The scale subresource: autoscaling/v1 Scale over whatever the kind's strategy calls replicas and selector.
import type { RequestScope, Resource, ScaleStrategy } from "../../../api/index.ts";
import { copyJson, field, invalid, notFound } from "../../../machinery/index.ts";
import { type Draft, draftOf } from "../draft.ts";
import { storedResource } from "../key.ts";
import type { Projection } from "./subresource.ts";

export const scaleProjection: Projection = {
  show({ resource }, { object }) {
    const draft = draftOf(object);
    const strategy = scaleStrategy(resource);
    const { name, namespace, uid, resourceVersion, creationTimestamp } = draft.metadata;
    const replicas = strategy.specReplicas(draft);
    const selector = strategy.selector(draft);
    return {
      kind: "Scale",
      apiVersion: "autoscaling/v1",
      metadata: copyJson({ name, namespace, uid, resourceVersion, creationTimestamp }),
      spec: replicas === 0 ? {} : { replicas },
      status: { replicas: strategy.statusReplicas(draft), ...(selector === "" ? {} : { selector }) },
    };
  },

  take(scope, body, draft) {
    const { replicas = 0 } = (body["spec"] ?? {}) as { replicas?: unknown };
    if (typeof replicas !== "number" || !Number.isInteger(replicas) || replicas < 0) throw badReplicas(scope, replicas);
    const { uid, resourceVersion } = body.metadata;
    Object.assign(draft.metadata, { uid: uid ?? draft.metadata.uid, resourceVersion });
    scaleStrategy(scope.resource).setSpecReplicas(draft, replicas);
  },
};

function badReplicas({ name }: RequestScope, replicas: unknown): Error {
  const error = field.invalid("spec.replicas", replicas, "must be greater than or equal to 0");
  return invalid({ group: "autoscaling", kind: "Scale" }, name, [error]);
}

function scaleStrategy(resource: Resource): ScaleStrategy<Draft> {
  const { scale } = storedResource(resource).strategy;
  if (scale === undefined) throw notFound(resource, "scale");
  return scale as unknown as ScaleStrategy<Draft>;
}
