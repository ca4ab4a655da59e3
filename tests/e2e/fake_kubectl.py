#!/usr/bin/env python3
"""Stands in for kubectl: one cluster in a JSON file (FAKE_CLUSTER), every call's arguments in FAKE_CLUSTER.calls.

It knows the verbs that the driver uses and answers in kubectl's words. What a rollout does is read from the annotation `fake` of the pods'
template: "stuck" never completes. An object whose annotation is "forbidden" is refused at apply. It is no API server: admission, quotas,
schedulers and real pods are not imitated.
"""
import json
import os
import sys
import time

FILE = os.environ["FAKE_CLUSTER"]
GROUPS = {"Deployment": "deployment.apps", "StatefulSet": "statefulset.apps", "DaemonSet": "daemonset.apps", "Service": "service",
          "ConfigMap": "configmap", "Namespace": "namespace", "PersistentVolumeClaim": "persistentvolumeclaim"}
WORKLOADS = ("deployment.apps/", "statefulset.apps/", "daemonset.apps/")


def die(text, code=1):
    print(text, file=sys.stderr)
    sys.exit(code)


def load():
    try:
        with open(FILE) as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def save(cluster):
    with open(FILE + ".new", "w") as file:
        json.dump(cluster, file, indent=1)
    os.replace(FILE + ".new", FILE)


def parse(argv):
    options, words = {}, []
    with_value = {"--context", "--namespace", "--filename", "--output"}
    alone = {"--ignore-not-found", "--all-containers", "--no-headers"}
    rest = iter(argv)
    for word in rest:
        name, equals, value = word.partition("=")
        if name in with_value | {"--timeout", "--to-revision", "--replicas", "--tail"}:
            options[name] = value if equals else next(rest)
        elif word in alone:
            options[word] = True
        elif word.startswith("-"):
            die(f"error: unknown flag: {word}")
        else:
            words.append(word)
    return options, words


def documents(path):
    """Manifests of the tests are JSON, one document between two lines of '---': a language both sides read without a library."""
    with open(path) as file:
        for text in file.read().split("---\n"):
            text = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
            if text.strip():
                yield json.loads(text)


def name_of(object):
    kind = GROUPS.get(object["kind"])
    if kind is None:
        die(f'error: resource mapping not found for name: "{object["metadata"]["name"]}" namespace: "" from "manifests.yaml": '
            f'no matches for kind "{object["kind"]}" in version "{object["apiVersion"]}"')
    return kind + "/" + object["metadata"]["name"]


def template(object):
    return object.get("spec", {}).get("template", {})


def note(object):
    return object.get("metadata", {}).get("annotations", {}).get("fake", "")


def apply(objects, file, options):
    failed = False
    for object in documents(file):
        name = name_of(object)
        given = object["metadata"].get("namespace")
        if given and options.get("--namespace") and given != options["--namespace"]:
            die("error: the namespace from the provided object does not match the namespace of the command")
        if note(object) == "forbidden":
            print(f'Error from server (Forbidden): error when creating "{file}": {name} is forbidden: violates PodSecurity', file=sys.stderr)
            failed = True
            continue
        held = objects.setdefault(name, {"revisions": []})
        held["object"] = object
        if name.startswith(WORKLOADS):
            held["replicas"] = object["spec"].get("replicas", held.get("replicas", 1))
            if not held["revisions"] or held["revisions"][-1]["template"] != template(object):
                number = held["revisions"][-1]["number"] + 1 if held["revisions"] else 1
                held["revisions"].append({"number": number, "template": template(object)})
        print(name)
    return 1 if failed else 0


def rollout(objects, what, name, options):
    held = objects.get(name)
    if held is None:
        die(f'Error from server (NotFound): {name.split("/")[0].replace("deployment", "deployments")} "{name.split("/")[1]}" not found')
    if what == "history":
        print(f"{name} \nREVISION  CHANGE-CAUSE")
        for revision in held["revisions"]:
            print(f'{revision["number"]}         <none>')
    elif what == "status":
        behaviour = note(template(held["object"]))
        short = name.split("/")[1]
        if behaviour == "stuck":
            print(f'Waiting for deployment "{short}" rollout to finish: 0 of 1 updated replicas are available...', flush=True)
            time.sleep(float(options["--timeout"].rstrip("s")))
            die("error: timed out waiting for the condition")
        print(f'deployment "{short}" successfully rolled out')
    elif what == "undo":
        wanted = int(options.get("--to-revision", 0))
        found = [r for r in held["revisions"] if r["number"] == wanted] if wanted else held["revisions"][-2:-1]
        if not found:
            die(f"error: unable to find specified revision {wanted} in history" if wanted else f"error: no rollout history found for {name}")
        if found[0] is held["revisions"][-1]:
            print(f"{name} skipped rollback (current template already matches revision {wanted})")
            return
        held["object"]["spec"]["template"] = found[0]["template"]
        held["revisions"].remove(found[0])
        held["revisions"].append({"number": held["revisions"][-1]["number"] + 1, "template": found[0]["template"]})
        print(f"{name} rolled back")


def get(objects, words, options):
    names = words or [name_of(object) for object in documents(options["--filename"])]
    missing = [name for name in names if name not in objects]
    there = [name for name in names if name in objects]
    columns = options.get("--output", "name")
    for name in there:
        if columns == "name":
            print(name)
            continue
        held = objects[name]
        ready = held.get("replicas", 0) if note(template(held["object"])) != "stuck" else 0
        print(held["object"]["kind"], name.split("/")[1], ready if ready and name.startswith(WORKLOADS) else "<none>", "<none>")
    if missing and "--ignore-not-found" not in options:
        die(f'Error from server (NotFound): "{missing[0]}" not found')


def main():
    with open(FILE + ".calls", "a") as calls:
        calls.write(json.dumps(sys.argv[1:]) + "\n")
    cluster = load()
    if cluster.get("down"):
        die("The connection to the server 192.0.2.1:6443 was refused - did you specify the right host or port?")
    options, words = parse(sys.argv[1:])
    if options.get("--context", "here") not in ("here", "there"):
        die(f'error: context "{options["--context"]}" does not exist')
    space = options.get("--context", "here") + "/" + options.get("--namespace", "default")
    objects = cluster.setdefault(space, {})
    verb, code = words.pop(0), 0
    if verb == "apply":
        code = apply(objects, options["--filename"], options)
    elif verb == "rollout":
        rollout(objects, words[0], words[1], options)
    elif verb == "get":
        get(objects, words, options)
    elif verb == "delete":
        for name in words:
            if objects.pop(name, None) is not None:
                print(f'{name.replace("/", " ")} deleted')
    elif verb == "scale":
        for name in words:
            objects[name]["replicas"] = int(options["--replicas"])
            print(f"{name} scaled")
    elif verb == "logs":
        print("Traceback: the service has no database")
    else:
        die(f'error: unknown command "{verb}" for "kubectl"')
    save(cluster)
    sys.exit(code)


main()
