#!/usr/bin/env python3
"""Records which directives the installed nginx knows, where they may stand and how many arguments they take.

    scripts/record_directives.py [NAMES…] > src/engine/nginx/directives.tsv

Asks `nginx -t` about each name of the recording, and about the files of NAMES (one name a line). Each line of the
recording: name, `simple` or `block`, arguments (`1`, `1-2`, `1+`), `once` where a second one in the same block is
refused (else `many`), what its only argument is (`flag`, `number`, `size`, `offset`, `seconds`, `time` in
milliseconds, else `any`), and the blocks it may stand in. Needs nginx with its stream module, and Python 3 alone.
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

RECORDING = Path(__file__).resolve().parent.parent / "src/engine/nginx/directives.tsv"
STREAM = "load_module /usr/lib/nginx/modules/ngx_stream_module.so;\n"
HTTP = "events {} http { %s }"
PLACES = {
    "main": "%s\nevents {}",
    "events": "events { %s }",
    "http": HTTP,
    "server": HTTP % "server { %s }",
    "location": HTTP % "server { location /zz { %s } }",
    "server-if": HTTP % "server { if ($uri) { %s } }",
    "location-if": HTTP % "server { location /zz { if ($uri) { %s } } }",
    "limit_except": HTTP % "server { location /zz { limit_except GET { %s } } }",
    "upstream": HTTP % "upstream u { %s }",
    "stream": "events {} stream { %s }",
    "stream-server": "events {} stream { server { %s } }",
    "stream-upstream": "events {} stream { upstream u { %s } }",
}
MOST = 9
# Values of which most directives take one; those that are taken are written twice.
VALUES = [
    "", "on", "off", "1", "1s", "1k", "/x", "8 4k", "a b", "$uri", "127.0.0.1:1", "a=b", "x", "GET", "any", "4k 1s",
    "/x 1", "1.1", "64 4k", "a b c", "none",
]


# A second one is refused only where it names the same zone.
ONCE_PER_VALUE = {"limit_conn"}


class Nginx:
    def __init__(self, folder):
        self.folder = folder
        self.file = Path(folder) / "nginx.conf"

    def complaint(self, place, text):
        """The first error of a configuration with `text` at `place`, or nothing."""
        self.file.write_text(STREAM + PLACES[place] % text)
        command = ["nginx", "-t", "-q", "-p", self.folder, "-e", "stderr", "-c", self.file]
        output = subprocess.run(command, capture_output=True, text=True, errors="replace").stderr
        found = re.search(r"\[emerg\] [0-9#]*: (.*)", output)
        return found.group(1) if found else ""

    def arguments(self, place, name, is_block):
        """The numbers of arguments that are taken."""
        end = " {}" if is_block else ";"
        wrong = f'invalid number of arguments in "{name}"'
        return [n for n in range(MOST + 1) if wrong not in self.complaint(place, name + " x" * n + end)]

    def is_once(self, place, name, counts):
        """Whether no value that is taken is taken twice."""
        refused = False
        for value in (value for value in VALUES if len(value.split()) in counts):
            complaint = self.complaint(place, f"{name} {value};")
            if "invalid" in complaint or "unknown" in complaint:
                continue
            twice = self.complaint(place, f"{name} {value}; {name} {value};")
            if not twice:
                return False
            refused = refused or f'"{name}" directive is duplicate' in twice
        return refused

    def value(self, place, name, is_block, counts):
        """What the only argument is: told from what is said of a wrong one, and from the units that are taken."""
        if is_block or counts != [1]:
            return "any"
        wrong = self.complaint(place, f"{name} x;")
        if 'it must be "on" or "off"' in wrong:
            return "flag"
        if wrong.startswith(f'"{name}" directive invalid number'):
            return "number"
        refusal = f'"{name}" directive invalid value'
        if not wrong.startswith(refusal):
            return "any"
        units = {"ms": "time", "w": "seconds", "g": "offset", "k": "size"}
        taken = (kind for unit, kind in units.items() if refusal not in self.complaint(place, f"{name} 1{unit};"))
        return next(taken, "any")

    def forms(self, name):
        """The forms of `name`, each with the places it may stand at."""
        forms = {}
        for place in PLACES:
            complaint = self.complaint(place, f"{name};")
            if "is not allowed here" in complaint or "unknown directive" in complaint:
                continue
            is_block = "has no opening" in complaint
            counts = self.arguments(place, name, is_block)
            if counts:
                once = not is_block and name not in ONCE_PER_VALUE and self.is_once(place, name, counts)
                value = self.value(place, name, is_block, counts)
                form = ("block" if is_block else "simple", spelt(counts), "once" if once else "many", value)
                forms.setdefault(form, []).append(place)
        return forms


def spelt(counts):
    least, most = counts[0], counts[-1]
    if most == MOST:
        return f"{least}+"
    return f"{least}" if least == most else f"{least}-{most}"


def main():
    lines = RECORDING.read_text().splitlines()
    for path in sys.argv[1:]:
        lines += Path(path).read_text().splitlines()
    names = sorted({line.split("\t")[0] for line in lines if line} - {"include", "load_module"})
    with tempfile.TemporaryDirectory() as folder:
        nginx = Nginx(folder)
        for name in names:
            for form, places in nginx.forms(name).items():
                print(name, *form, " ".join(places), sep="\t")


if __name__ == "__main__":
    main()
