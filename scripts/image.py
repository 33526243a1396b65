#!/usr/bin/env python3
"""Builds the final stage of the Dockerfile as an OCI archive, without a registry or a daemon.

  image.py ROOT OUT.tar [NAME]   ROOT is what the builder stage left (image-root.sh); prints the manifest's digest
  image.py --dockerfile FILE …   the final stage of another file, without a bill of materials

The same ROOT gives the same bytes: no times, no users, names in order. Beside the archive lies OUT.cdx.json: what the programs
are made of (CycloneDX), read from `cargo metadata` and Cargo.lock. Needs Python 3.11 and cargo, nothing else.
"""
import gzip
import hashlib
import io
import json
import pathlib
import platform
import re
import shlex
import subprocess
import sys
import tarfile
import tomllib

HERE = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = ["souk-tenant-runtime", "souk-control-plane", "souk-operator", "souk"]
MEDIA = "application/vnd.oci.image."
MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}


def final_stage(text):
    """The configuration that the lines after the last FROM say, and where its root goes."""
    lines = re.sub(r"\\\n", " ", text).splitlines()
    start = max(at for at, line in enumerate(lines) if line.startswith("FROM "))
    if lines[start].split()[1] != "scratch":
        sys.exit("the final stage is not FROM scratch")
    config, copied = {"Env": ["PATH=/"]}, None
    for line in lines[start + 1 :]:
        word, _, rest = line.strip().partition(" ")
        match word:
            case "":
                pass
            case word if word.startswith("#"):
                pass
            case "COPY":
                copied = shlex.split(rest)[-1]
            case "LABEL":
                pairs = (pair.split("=", 1) for pair in shlex.split(rest))
                config.setdefault("Labels", {}).update(dict(pairs))
            case "USER":
                config["User"] = rest
            case "WORKDIR":
                config["WorkingDir"] = rest
            case "EXPOSE":
                config["ExposedPorts"] = {f"{port}/tcp": {} for port in rest.split()}
            case "ENTRYPOINT":
                config["Entrypoint"] = json.loads(rest)
            case "CMD":
                config["Cmd"] = json.loads(rest)
            case _:
                sys.exit(f"the final stage says {word}, which this program does not know: teach it")
    if copied != "/":
        sys.exit("the final stage must copy the builder's root to /")
    return config


def entry(archive, name, data=None, mode=0o644):
    info = tarfile.TarInfo(name)
    info.mode = mode
    if data is None:
        info.type = tarfile.DIRTYPE
        archive.addfile(info)
    else:
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))


def layer(root):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(root.rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.is_dir():
                entry(archive, name + "/", mode=0o755)
            else:
                entry(archive, name, path.read_bytes(), 0o755 if path.stat().st_mode & 0o100 else 0o644)
    return out.getvalue()


def compact(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def image(root, name, dockerfile):
    blobs = {}

    def blob(kind, data):
        digest = hashlib.sha256(data).hexdigest()
        blobs[digest] = data
        return {"mediaType": MEDIA + kind, "digest": "sha256:" + digest, "size": len(data)}

    plain = layer(root)
    packed = blob("layer.v1.tar+gzip", gzip.compress(plain, 6, mtime=0))
    config = {
        "architecture": MACHINE.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": final_stage(dockerfile.read_text()),
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(plain).hexdigest()]},
        "history": [{"created_by": "scripts/image.py"}],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MEDIA + "manifest.v1+json",
        "config": blob("config.v1+json", compact(config)),
        "layers": [packed],
    }
    top = blob("manifest.v1+json", compact(manifest))
    top["annotations"] = {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name}
    index = {"schemaVersion": 2, "mediaType": MEDIA + "index.v1+json", "manifests": [top]}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        entry(archive, "oci-layout", compact({"imageLayoutVersion": "1.0.0"}))
        entry(archive, "index.json", compact(index))
        for digest, data in sorted(blobs.items()):
            entry(archive, "blobs/sha256/" + digest, data)
    return top["digest"], packed["size"], len(plain), out.getvalue()


def bill(digest):
    """Everything the programs are made of: normal dependencies for this machine, from the programs down."""
    host = next(
        line.split()[1]
        for line in subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout.splitlines()
        if line.startswith("host:")
    )
    def cargo(*arguments):
        command = ["cargo", *arguments, "--locked"]
        return subprocess.run(command, check=True, capture_output=True, text=True, cwd=HERE).stdout

    metadata = json.loads(cargo("metadata", "--format-version", "1", "--filter-platform", host))
    packages = {package["id"]: package for package in metadata["packages"]}
    sums = {
        (package["name"], package["version"]): package.get("checksum")
        for package in tomllib.loads((HERE / "Cargo.lock").read_text())["package"]
    }
    # Only this says which features the programs have: `metadata` mixes in those of the tests.
    chosen = [word for program in PROGRAMS for word in ("-p", program)]
    tree = cargo("tree", *chosen, "-e", "normal", "--target", host, "--prefix", "none", "--format", "{p}")
    parts = {tuple(line.split()[:2]) for line in tree.splitlines() if line}
    seen = {id for id, it in packages.items() if (it["name"], "v" + it["version"]) in parts}
    needs = {
        node["id"]: sorted(
            dep["pkg"]
            for dep in node["deps"]
            if dep["pkg"] in seen and any(kind["kind"] is None for kind in dep["dep_kinds"])
        )
        for node in metadata["resolve"]["nodes"]
    }

    def purl(id):
        return f"pkg:cargo/{packages[id]['name']}@{packages[id]['version']}"

    def component(id):
        package = packages[id]
        part = {
            "type": "application" if package["name"] in PROGRAMS else "library",
            "bom-ref": purl(id),
            "name": package["name"],
            "version": package["version"],
            "purl": purl(id),
        }
        if package["license"]:
            # The older way to write OR.
            part["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
        checksum = sums.get((package["name"], package["version"]))
        if checksum:
            part["hashes"] = [{"alg": "SHA-256", "content": checksum}]
        return part

    order = sorted(seen, key=purl)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {
                "type": "container",
                "bom-ref": "image",
                "name": "souk",
                "version": packages[next(id for id in order if packages[id]["name"] == PROGRAMS[0])]["version"],
                "hashes": [{"alg": "SHA-256", "content": digest.removeprefix("sha256:")}],
            }
        },
        "components": [component(id) for id in order],
        "dependencies": [
            {"ref": "image", "dependsOn": [purl(id) for id in order if packages[id]["name"] in PROGRAMS]}
        ]
        + [{"ref": purl(id), "dependsOn": [purl(other) for other in needs[id]]} for id in order],
    }


def main():
    arguments, dockerfile = sys.argv[1:], HERE / "Dockerfile"
    ours = arguments[:1] != ["--dockerfile"]
    if not ours:
        dockerfile, arguments = pathlib.Path(arguments[1]), arguments[2:]
    if not 2 <= len(arguments) <= 3:
        sys.exit(__doc__)
    root, out = pathlib.Path(arguments[0]), pathlib.Path(arguments[1])
    name = arguments[2] if len(arguments) > 2 else "localhost/souk:dev"
    digest, packed, plain, archive = image(root, name, dockerfile)
    out.write_bytes(archive)
    if not ours:
        print(digest)
        return
    beside = out.with_suffix(".cdx.json")
    bom = bill(digest)
    beside.write_text(json.dumps(bom, indent=1, sort_keys=True) + "\n")
    print(
        f"{out}: {packed / 1e6:.1f} MB packed, {plain / 1e6:.1f} MB unpacked; {beside.name}: {len(bom['components'])} parts",
        file=sys.stderr,
    )
    print(digest)


main()
