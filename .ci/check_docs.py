"""Checks the documents: links and anchors, readability, and the size of the README.

  check_docs.py FOLDER

FOLDER is the repository. A file outside of `docs` is linked as GitHub shows it. Prints what is wrong, and the reading ease of
each page.
"""

import pathlib
import posixpath
import re
import sys

README_LINES = 200
README_COLUMNS = 120
# Flesch reading ease; below it, text needs more than school English. As in his rules, a colon or semicolon ends a sentence.
LEAST_EASE = 50
EASY = re.compile(r"README\.md|docs/(guides/.*|getting-started|index|faq)\.md|docs/install/.*")
FENCE = re.compile(r"^\s*```")
LINK = re.compile(r"(?:\]\(|(?:src|srcset|href)=\")([^)\s\"]+)")


def pages(repository):
    """Every document for people, by its path in the repository."""
    paths = [*repository.glob("*.md"), *repository.glob("docs/**/*.md"), *repository.glob("tests/**/README.md")]
    return {path.relative_to(repository).as_posix(): path.read_text() for path in sorted(paths)}


def prose(text):
    """The lines outside of code blocks, numbered from 1."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if FENCE.match(line):
            inside = not inside
        elif not inside:
            yield number, line


def anchors(text):
    """The anchors that GitHub and mdBook make of headings."""
    found = {}
    for _, line in prose(text):
        if re.match(r"#+ ", line):
            title = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", line.lstrip("#")).strip().lower()
            slug = re.sub(r"[^\w\- ]", "", title).replace(" ", "-")
            count = found.get(slug, 0)
            found[slug] = count + 1
            yield f"{slug}-{count}" if count else slug


def broken_links(repository, texts):
    """Links whose file or anchor is not there."""
    known = {path: set(anchors(text)) for path, text in texts.items()}
    for path, text in texts.items():
        for number, line in prose(text):
            for link in LINK.findall(re.sub(r"`[^`]*`", "", line)):
                file, _, anchor = link.partition("#")
                if re.match(r"[a-z]+:", link):
                    continue
                target = posixpath.normpath(posixpath.join(posixpath.dirname(path), file)) if file else path
                if not (repository / target).exists():
                    yield f"{path}:{number}: no file {target}"
                elif anchor and anchor not in known.get(target, ()):
                    yield f"{path}:{number}: no heading #{anchor} in {target}"
    listed = {posixpath.join("docs", link) for link in LINK.findall(texts["docs/SUMMARY.md"])}
    for path in sorted(set(texts) - listed - {"docs/SUMMARY.md"}):
        if path.startswith("docs/"):
            yield f"docs/SUMMARY.md: does not list {path}"


def syllables(word):
    """Groups of vowels, without a silent e at the end."""
    word = word.lower()
    silent = word.endswith("e") and not word.endswith("le") and len(word) > 2
    return max(1, len(re.findall(r"[aeiouy]+", word)) - silent)


def sentences(text):
    """The sentences of paragraphs and lists. Code, tables, headings and comments are left out."""
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    paragraph = []
    blocks = []
    for _, line in [*prose(text), (0, "")]:
        if re.match(r"\s*([-*] |\d+\. |\||#|>|!|<|$)", line):
            blocks.append(" ".join(paragraph))
            paragraph = []
        if not re.match(r"\s*(\||#|!|<|$)", line):
            paragraph.append(re.sub(r"^\s*([-*>]|\d+\.) ", "", line))
    blocks.append(" ".join(paragraph))
    for block in blocks:
        block = re.sub(r"!?\[([^]]*)\]\([^)]*\)", r"\1", block)
        # A code span is read as one noun of two syllables.
        block = re.sub(r"`[^`]*`|<[^>]*>|\*\*|\*", lambda span: "symbol" if span[0][0] in "`<" else "", block)
        yield from (part for part in re.split(r"(?<=[.!?:;])\s+", block) if re.search(r"[A-Za-z]{2}", part))


def reading_ease(text):
    """Flesch reading ease, or None for a page with fewer than five sentences."""
    found = [re.findall(r"[A-Za-z][A-Za-z'-]*", sentence) for sentence in sentences(text)]
    words = [word for sentence in found for word in sentence]
    if len(found) < 5:
        return None
    syllable_count = sum(map(syllables, words))
    return 206.835 - 1.015 * len(words) / len(found) - 84.6 * syllable_count / len(words)


def hard_pages(texts):
    """Prints the reading ease of each page, and finds the pages for users that are too hard."""
    for path, text in texts.items():
        ease = reading_ease(text)
        if ease is None:
            continue
        print(f"{ease:5.1f} {path}")
        if ease < LEAST_EASE and EASY.fullmatch(path):
            yield f"{path}: reading ease {ease:.1f}, at least {LEAST_EASE} expected"


def long_readme(texts):
    """What exceeds the size of the README."""
    lines = texts["README.md"].splitlines()
    if len(lines) > README_LINES:
        yield f"README.md: {len(lines)} lines, at most {README_LINES} expected"
    for number, line in enumerate(lines, 1):
        if len(line) > README_COLUMNS:
            yield f"README.md:{number}: {len(line)} columns, at most {README_COLUMNS} expected"


def main():
    repository = pathlib.Path(sys.argv[1])
    texts = pages(repository)
    wrong = [*broken_links(repository, texts), *hard_pages(texts), *long_readme(texts)]
    sys.exit("\n".join(wrong) or None)


main()
