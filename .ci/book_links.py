"""A preprocessor of mdBook: links to files outside of the book lead to the repository, as a reader of the book has no other."""

import json
import posixpath
import re
import sys

LINK = re.compile(r"(\]\()([^)\s]+)(\))")


def relink(path, text, source, address):
    """A chapter whose links are those of the book."""

    def one(link):
        before, target, after = link.groups()
        whole = posixpath.normpath(posixpath.join(source, posixpath.dirname(path), target))
        if re.match(r"[a-z]+:|#", target) or whole.startswith(source + "/"):
            return link[0]
        return f"{before}{address}/blob/main/{whole}{after}"

    return LINK.sub(one, text)


def walk(items, source, address):
    """Relinks chapters and those below them."""
    for item in items:
        chapter = item.get("Chapter") if isinstance(item, dict) else None
        if chapter and chapter["path"]:
            chapter["content"] = relink(chapter["path"], chapter["content"], source, address)
        if chapter:
            walk(chapter["sub_items"], source, address)


def main():
    if len(sys.argv) > 1:
        sys.exit(0)  # mdBook asks `supports RENDERER`: all of them.
    context, book = json.load(sys.stdin)
    config = context["config"]
    walk(book.get("items") or book["sections"], config["book"]["src"], config["output"]["html"]["git-repository-url"])
    json.dump(book, sys.stdout)


main()
