#!/bin/sh
# Installs from Debian what `make paper` needs to set paper/paper.tex; does nothing where it is there.
set -eu

paper=${1:-$(dirname "$0")/../paper/paper.tex}
packages="latexmk texlive-latex-recommended texlive-fonts-recommended lmodern"

# What is missing: programs, and the styles that the paper names.
missing() {
    for program in latexmk pdflatex bibtex; do
        command -v "$program" >/dev/null || echo "$program"
    done
    command -v kpsewhich >/dev/null || return 0
    for style in $(styles); do
        # A style of the paper's own lies beside it.
        [ -f "$(dirname "$paper")/$style.sty" ] || kpsewhich "$style.sty" >/dev/null ||
            echo "$style.sty"
    done
}

styles() {
    [ -f "$paper" ] || return 0
    sed 's/%.*//' "$paper" | tr -d '\n ' |
        grep -o '\\usepackage\(\[[^]]*\]\)\?{[^}]*}' |
        sed 's/.*{//; s/}//' | tr ',' '\n'
}

[ -n "$(missing)" ] || exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "make paper: missing $(missing | tr '\n' ' ' | sed 's/ $//'); install (names of Debian): $packages" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get install --yes --quiet --no-install-recommends $packages >/dev/null ||
    { apt-get update --quiet && apt-get install --yes --quiet --no-install-recommends $packages; } >/dev/null
left=$(missing | tr '\n' ' ')
[ -z "$left" ] || { echo "make paper: $packages are there, but not $left" >&2; exit 1; }
