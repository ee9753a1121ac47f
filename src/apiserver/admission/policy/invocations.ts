// Which policies a request has to satisfy, with which bindings and parameters.
import type { Resource } from "../../../api/index.ts";
import type { ParamKind, ParamRef } from "../../../api/types/admissionregistration/v1.ts";
import { type DeepReadonly, type KubeObject, notFound } from "../../../machinery/index.ts";
import type { AdmissionRequest } from "../admission.ts";
import { lookUp } from "../cluster-view.ts";
import { collectParams, type ParamView, paramResource } from "./params.ts";
import { PolicyError } from "./policy-error.ts";
import type { BoundPolicy, PolicyBinding } from "./policy-source.ts";

/** One policy, as one binding and one parameter want it. */
export interface Invocation<P, B, C> {
  readonly bound: BoundPolicy<P, B, C>;
  readonly binding: PolicyBinding<B>;
  /** The resource as which the policy sees the request. */
  readonly shown: Resource;
  readonly params: KubeObject | null;
}

/** A policy or binding that cannot be used for the request. */
export interface Misconfiguration<P, B, C> {
  readonly bound: BoundPolicy<P, B, C>;
  readonly binding: PolicyBinding<B> | undefined;
  readonly message: string;
}

export interface Invocations<P, B, C> {
  readonly invocations: readonly Invocation<P, B, C>[];
  readonly misconfigured: readonly Misconfiguration<P, B, C>[];
}

interface WithParams {
  readonly spec?: { readonly paramKind?: ParamKind | undefined } | undefined;
}

interface WithParamRef {
  readonly spec?: { readonly paramRef?: ParamRef | undefined } | undefined;
}

export async function findInvocations<P extends WithParams, B extends WithParamRef, C>(
  view: ParamView,
  policies: readonly BoundPolicy<P, B, C>[],
  request: AdmissionRequest,
): Promise<Invocations<P, B, C>> {
  const invocations: Invocation<P, B, C>[] = [];
  const misconfigured: Misconfiguration<P, B, C>[] = [];
  for (const bound of policies) {
    const shown = await bound.matcher.match(request);
    if (shown === undefined) continue;
    const { spec } = bound.policy as DeepReadonly<WithParams>;
    let resource: Resource | undefined;
    try {
      resource = spec?.paramKind === undefined ? undefined : paramResource(view.catalog, spec.paramKind);
    } catch (error) {
      misconfigured.push({ bound, binding: undefined, message: `failed to configure policy: ${problemOf(error)}` });
      continue;
    }
    for (const binding of bound.bindings) {
      if (binding.matcher !== undefined && (await binding.matcher.match(request)) === undefined) continue;
      const { spec: bindingSpec } = binding.binding as DeepReadonly<WithParamRef>;
      try {
        const found = await collectParams(view, resource, { ref: bindingSpec?.paramRef, namespace: request.scope.namespace });
        for (const params of found) invocations.push({ bound, binding, shown, params });
      } catch (error) {
        misconfigured.push({ bound, binding, message: `failed to configure binding: ${problemOf(error)}` });
      }
    }
  }
  return { invocations, misconfigured };
}

function problemOf(error: unknown): string {
  if (error instanceof PolicyError) return error.message;
  throw error;
}

/** The request's namespace for expressions; null for cluster-scoped objects. */
export async function namespaceOf(view: ParamView, { scope }: AdmissionRequest): Promise<DeepReadonly<KubeObject> | null> {
  const { namespace, resource } = scope;
  if (namespace === "" || !resource.namespaced) return null;
  const found = await lookUp<KubeObject>(view, "core/namespaces", namespace);
  if (found === undefined) throw notFound({ group: "", resource: "namespaces" }, namespace);
  return found;
}
