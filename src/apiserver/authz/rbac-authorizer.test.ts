import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding, Subject } from "../../api/types/rbac/v1.ts";
import type { AuthorizationAttributes } from "./authorizer.ts";
import { bootstrapPolicy } from "./bootstrap/index.ts";
import { EscalationCheck } from "./escalation.ts";
import { RbacAuthorizer } from "./rbac-authorizer.ts";
import type { RbacSource } from "./rbac-source.ts";
import { UnionAuthorizer } from "./union-authorizer.ts";

/** The defaults, with bindings that tests add. */
function policy() {
  const bindings = [...((bootstrapPolicy["clusterrolebindings"] ?? []) as ClusterRoleBinding[])];
  const roleBindings: RoleBinding[] = [];
  const source: RbacSource & { version: number } = {
    clusterRoles: () => (bootstrapPolicy["clusterroles"] ?? []) as ClusterRole[],
    roles: () => (bootstrapPolicy["roles"] ?? []) as Role[],
    clusterRoleBindings: () => bindings,
    roleBindings: () => roleBindings,
    version: 1,
  };
  const bind = (role: string, subject: Subject, namespace?: string) => {
    const roleRef = { kind: "ClusterRole", name: role };
    if (namespace === undefined) bindings.push({ metadata: { name: `b-${role}` }, roleRef, subjects: [subject] });
    else roleBindings.push({ metadata: { name: `b-${role}`, namespace }, roleRef, subjects: [subject] });
    source.version++;
  };
  const rbac = new RbacAuthorizer(source);
  const union = new UnionAuthorizer([rbac]);
  const authorizer = {
    authorize(attributes: AuthorizationAttributes) {
      const decision = union.authorize(attributes);
      if (decision instanceof Promise) throw new Error("RBAC takes time");
      return decision;
    },
  };
  /** `may("ann", "get pods/log.apps ns/name")` */
  const may = (name: string, verb: string, what: string, place = "", groups: string[] = []) => {
    const [path = "", group = ""] = what.split(/\.(.*)/s);
    const [resource = "", subresource = ""] = path.split("/");
    const [namespace = "", object = ""] = place.split("/");
    const user = { name, groups: [...groups, "system:authenticated"] };
    return authorizer.authorize({ user, verb, group, version: "v1", resource, subresource, namespace, name: object }).allowed;
  };
  return { bind, rbac, authorizer, may };
}

test("aggregated roles allow what the roles labelled for them allow", () => {
  const { bind, may } = policy();
  bind("view", { kind: "User", name: "ann" }, "dev");
  bind("admin", { kind: "Group", name: "leads" }, "dev");
  assert.equal(may("ann", "list", "pods", "dev"), true);
  assert.equal(may("ann", "get", "pods/log", "dev/a"), true);
  assert.equal(may("ann", "get", "secrets", "dev/a"), false);
  assert.equal(may("ann", "create", "pods", "dev"), false);
  assert.equal(may("ann", "list", "pods", "prod"), false);
  assert.equal(may("ann", "list", "pods", ""), false);
  assert.equal(may("bob", "create", "deployments.apps", "dev", ["leads"]), true);
  assert.equal(may("bob", "create", "rolebindings.rbac.authorization.k8s.io", "dev", ["leads"]), true);
  assert.equal(may("bob", "update", "namespaces/status", "dev", ["leads"]), false);
});

test("a new binding is in force at once", () => {
  const { bind, may } = policy();
  assert.equal(may("system:serviceaccount:dev:bot", "get", "nodes"), false);
  bind("cluster-admin", { kind: "ServiceAccount", name: "bot", namespace: "dev" });
  assert.equal(may("system:serviceaccount:dev:bot", "get", "nodes"), true);
});

test("system:masters may do everything, strangers only ask about themselves", () => {
  const { may, authorizer } = policy();
  assert.equal(may("root", "delete", "nodes", "", ["system:masters"]), true);
  assert.equal(may("stranger", "create", "selfsubjectaccessreviews.authorization.k8s.io"), true);
  assert.equal(may("stranger", "list", "namespaces"), false);
  const nowhere = { group: "", version: "", resource: "", subresource: "", namespace: "", name: "", verb: "get" };
  const nobody = { name: "system:anonymous", groups: ["system:unauthenticated"] };
  assert.equal(authorizer.authorize({ ...nowhere, user: nobody, path: "/healthz" }).allowed, true);
  assert.equal(authorizer.authorize({ ...nowhere, user: nobody, path: "/api" }).allowed, false);
  assert.equal(authorizer.authorize({ ...nowhere, user: { name: "x", groups: ["system:authenticated"] }, path: "/api/v1" }).allowed, true);
});

test("a rule with names covers those only", () => {
  const { may } = policy();
  assert.equal(may("system:kube-scheduler", "update", "leases.coordination.k8s.io", "kube-system/kube-scheduler"), true);
  assert.equal(may("system:kube-scheduler", "update", "leases.coordination.k8s.io", "kube-system/other"), false);
});

test("no one gives away more than he has, unless he may bind or escalate", async () => {
  const { bind, rbac, authorizer } = policy();
  bind("edit", { kind: "User", name: "ann" }, "dev");
  bind("cluster-admin", { kind: "User", name: "root" });
  const check = new EscalationCheck(rbac, authorizer);
  const question = (name: string) => ({ user: { name, groups: [] }, resource: "rolebindings", namespace: "dev", name: "b" });
  await check.checkBinding(question("ann"), { kind: "ClusterRole", name: "view" });
  await check.checkBinding(question("root"), { kind: "ClusterRole", name: "cluster-admin" });
  await assert.rejects(
    check.checkBinding(question("ann"), { kind: "ClusterRole", name: "admin" }),
    /rolebindings.rbac.authorization.k8s.io "b" is forbidden: user "ann" \(groups=\[\]\) is attempting to grant RBAC permissions not currently held/,
  );
  await assert.rejects(check.checkRole(question("ann"), [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }]), /Forbidden|forbidden/);
});

test("a rules review lists what holds in the namespace", () => {
  const { bind, rbac } = policy();
  bind("system:kube-dns", { kind: "User", name: "ann" }, "dev");
  const there = rbac.rulesFor({ name: "ann", groups: [] }, "dev");
  assert.deepEqual(there.resourceRules, [{ verbs: ["list", "watch"], apiGroups: [""], resources: ["endpoints", "services"] }]);
  assert.deepEqual(rbac.rulesFor({ name: "ann", groups: [] }, "prod").resourceRules, []);
});
