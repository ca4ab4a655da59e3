# Fetches a project's dependencies by the command in CONDUCTORAI_PREPARE, or lays out what it brought before for the same lock files.
# $1: a folder that later attempts share, $2: one of this attempt alone; either may be left empty. What is fetched is kept in $2, else in $1.
# $3: "fetch" lays nothing out that is kept already; "lay" fetches nothing.
shared=$1
own=$2
mode=$3

is_kept() { [ -n "$1" ] && [ -d "$1/kept" ]; }

take() {
  is_kept "$1" && tar -xf "$1/kept/files.tar" && tar -xf "$1/kept/products.tar" -C "$CONDUCTORAI_BUILD"
}

# Files are stamped with a clock that stands still for some milliseconds: what is made from now on is newer than the mark.
set_mark() {
  mark=$(mktemp) && probe=$(mktemp) || return
  until [ -n "$(find "$probe" -cnewer "$mark")" ]; do touch "$probe"; done
}

# All that the command made or changed, where there is room for a second copy. Whole or not at all: it is moved to its name when it is
# complete.
keep() {
  find . -mindepth 1 -path ./.git -prune -o -cnewer "$mark" -print0 > "$probe" || return
  kib=$({ printf '%s\0' "$CONDUCTORAI_BUILD"; cat "$probe"; } | du -ck --files0-from=- | tail -n 1 | cut -f 1)
  if [ "$((kib * 2048))" -gt "$CONDUCTORAI_DISK" ]; then
    echo "the dependencies are not kept for later attempts: they take more than half of sandbox.disk"
    return
  fi
  new=$(mktemp -d "${own:-$shared}/new.XXXXXX") || return
  if tar --null --no-recursion -T "$probe" -cf "$new/files.tar" && tar -C "$CONDUCTORAI_BUILD" -cf "$new/products.tar" .; then
    mv -T "$new" "${own:-$shared}/kept"
  fi
  rm -rf "$new"
} 2>/dev/null

if [ "$mode" = lay ]; then
  take "$shared" || take "$own" || echo "the project's dependencies are not there" >&2
  exit 0
fi
if [ "$mode" = fetch ] && { is_kept "$shared" || is_kept "$own"; }; then exit 0; fi
if take "$shared" || take "$own"; then
  echo "the dependencies were fetched before, by the same command for the same lock files"
  exit 0
fi
set_mark
/bin/sh -c "$CONDUCTORAI_PREPARE" || exit
keep
exit 0
