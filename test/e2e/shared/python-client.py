"""What test/e2e/clients.test.ts lets Python's Kubernetes client do; prints one JSON object of what came of it."""

import json
import os
import sys
import threading

from kubernetes import client, config, dynamic, watch
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock.configmaplock import ConfigMapLock
from kubernetes.stream import stream

namespace, pod = sys.argv[1:]
config.load_kube_config(os.environ["KUBECONFIG"])
core = client.CoreV1Api()
seen = {}


def watch_changes():
    """A list, then everything that happens from there until the last change, as (event, value)."""
    since = core.list_namespaced_config_map(namespace, label_selector="by=python").metadata.resource_version

    def change():
        metadata = client.V1ObjectMeta(name="watched", labels={"by": "python"})
        core.create_namespaced_config_map(namespace, client.V1ConfigMap(metadata=metadata, data={"n": "1"}))
        core.patch_namespaced_config_map("watched", namespace, {"data": {"n": "2"}})
        core.patch_namespaced_config_map("watched", namespace, [{"op": "replace", "path": "/data/n", "value": "3"}])
        core.delete_namespaced_config_map("watched", namespace)

    writer = threading.Thread(target=change)
    writer.start()
    events = []
    watcher = watch.Watch()
    arguments = {"label_selector": "by=python", "resource_version": since, "timeout_seconds": 20}
    for event in watcher.stream(core.list_namespaced_config_map, namespace, **arguments):
        events.append([event["type"], event["object"].data["n"]])
        if event["type"] == "DELETED":
            watcher.stop()
    writer.join()
    return events


def run_commands():
    """Output of a command, and of a shell that is spoken to over an open stream, with its exit code."""
    call = {"stderr": True, "stdout": True, "tty": False}
    command = ["sh", "-c", "echo out; echo err >&2"]
    both = stream(core.connect_get_namespaced_pod_exec, pod, namespace, command=command, stdin=False, **call)
    shell = stream(
        core.connect_get_namespaced_pod_exec, pod, namespace, command=["sh"], stdin=True, _preload_content=False, **call
    )
    shell.write_stdin("echo spoken to\n")
    answer = shell.readline_stdout(timeout=10)
    shell.write_stdin("exit 3\n")
    shell.run_forever(timeout=10)
    return {"both": sorted(both.split()), "answer": answer, "code": shell.returncode}


def work_with_custom_resources():
    """The dynamic client finds resources by discovery, the built-in and those of a definition."""
    finder = dynamic.DynamicClient(client.ApiClient(), cache_file=os.path.join(os.environ["HOME"], "discovery.json"))
    deployments = finder.resources.get(api_version="apps/v1", kind="Deployment")
    tabs = finder.resources.get(api_version="python.example.com/v1", kind="Tab")
    tabs.create(namespace=namespace, body={"metadata": {"name": "t"}, "spec": {"n": 1}})
    patch = {"spec": {"n": 2}}
    patched = tabs.patch(name="t", namespace=namespace, body=patch, content_type="application/merge-patch+json")
    return {"deployments": [d.metadata.name for d in deployments.get(namespace=namespace).items], "n": patched.spec.n}


def elect():
    """The name that the lock shows once this candidate leads."""
    led = threading.Event()
    lock = ConfigMapLock("python-leader", namespace, "candidate")
    times = {"lease_duration": 5, "renew_deadline": 4, "retry_period": 1}
    election = electionconfig.Config(lock, onstarted_leading=led.set, onstopped_leading=None, **times)
    threading.Thread(target=leaderelection.LeaderElection(election).run, daemon=True).start()
    led.wait(20)
    annotations = core.read_namespaced_config_map("python-leader", namespace).metadata.annotations
    return json.loads(annotations["control-plane.alpha.kubernetes.io/leader"])["holderIdentity"]


seen["events"] = watch_changes()
seen["exec"] = run_commands()
seen["custom"] = work_with_custom_resources()
seen["leader"] = elect()
try:
    core.read_namespaced_config_map("nowhere", namespace)
except client.ApiException as error:
    seen["missing"] = [error.status, json.loads(error.body)["reason"]]
seen["log"] = core.read_namespaced_pod_log(pod, namespace).splitlines()[0]
seen["version"] = client.VersionApi().get_code().minor
print(json.dumps(seen), flush=True)
os._exit(0)
