# Texts: of `text.py`, `formulas.py`, `pointers.py` and `subcaptions.py`.

cdef enum:
    KEPT_BUFFER_BYTES = 1 << 20
    SPACE = 0x20

cdef uint64_t ONES = 0x0101010101010101
cdef uint64_t HIGHS = 0x8080808080808080
cdef uint64_t SPACES = 0x2020202020202020


cdef class Buffer:
    """Bytes that grow."""

    cdef unsigned char* start
    cdef size_t size

    def __dealloc__(self):
        free(self.start)

    cdef int reserve(self, size_t size) except -1:
        cdef void* moved
        if size > self.size:
            moved = realloc(self.start, size + size // 2 + 256)
            if moved == NULL:
                raise MemoryError
            self.start = <unsigned char*>moved
            self.size = size + size // 2 + 256
        return 0

    cdef str decoded(self, size_t begin, size_t length, bint is_ascii=False):
        if is_ascii and length > 1:
            text = PyUnicode_New(length, 127)
            memcpy(PyUnicode_DATA(text), self.start + begin, length)
        else:
            text = PyUnicode_DecodeUTF8(<char*>self.start + begin, length, NULL) if length else ""
        if self.size > KEPT_BUFFER_BYTES:
            free(self.start)
            self.start = NULL
            self.size = 0
        return text


cdef Buffer buffer = Buffer()


cdef inline int space_bytes(const unsigned char* s) noexcept:
    """Give the length of the white space beyond ASCII (as `str.isspace` has it) that a text begins with, else 0."""
    if s[0] == 0xC2:
        return 2 if s[1] == 0xA0 or s[1] == 0x85 else 0
    if s[0] == 0xE2:
        if s[1] == 0x80:
            return 3 if s[2] <= 0x8A or s[2] == 0xA8 or s[2] == 0xA9 or s[2] == 0xAF else 0
        return 3 if s[1] == 0x81 and s[2] == 0x9F else 0
    if s[0] == 0xE1:
        return 3 if s[1] == 0x9A and s[2] == 0x80 else 0
    return 3 if s[0] == 0xE3 and s[1] == 0x80 and s[2] == 0x80 else 0


cdef inline bint is_composed(const unsigned char* s) noexcept:
    """Tell of the usual characters beyond ASCII that NFC leaves them as they are, whatever stands beside them.

    U+0080 to U+02FF, U+0388 to U+03FF and U+2000 to U+27FF without 20C0-213F and 2300-233F.
    """
    if s[0] <= 0xCB:
        return True
    if s[0] == 0xE2:
        return s[1] < 0xA0 and s[1] != 0x83 and s[1] != 0x84 and s[1] != 0x8C
    return (s[0] == 0xCE and s[1] >= 0x88) or s[0] == 0xCF


cdef inline bint is_plain(uint64_t word) noexcept:
    """Tell whether eight bytes are printable ASCII without two spaces in a row; may say no where they are."""
    cdef uint64_t blanks = word ^ SPACES
    blanks = (blanks - ONES) & ~blanks & HIGHS
    return not ((word & HIGHS) | ((word - SPACES) & ~word & HIGHS) | (blanks & (blanks << 8)))


cdef struct Text:
    size_t length  # in the buffer: a space at its start, then the text so far
    bint is_composed
    bint is_ascii


cdef int append(Text* text, const unsigned char* s) except -1:
    """Append to the buffer what a text node holds: runs of white space become one space."""
    cdef size_t left = strlen(<const char*>s)
    cdef const unsigned char* end = s + left
    cdef const unsigned char* stop
    cdef unsigned char* out
    cdef uint64_t word
    cdef int width
    buffer.reserve(text.length + left + 1)
    out = buffer.start + text.length
    if text.length == 0:
        out[0] = SPACE
        out += 1
    while s < end:
        stop = end
        if end - s >= 8:
            memcpy(&word, s, 8)
            if is_plain(word) and not (s[0] == SPACE and (out - 1)[0] == SPACE):
                memcpy(out, &word, 8)
                s += 8
                out += 8
                continue
            stop = s + 8
        while s < stop:
            width = s[0] <= SPACE if s[0] < 0x80 else space_bytes(s)
            if width:
                s += width
                if (out - 1)[0] != SPACE:
                    out[0] = SPACE
                    out += 1
                continue
            if s[0] >= 0x80:
                text.is_ascii = False
                text.is_composed &= is_composed(s)
            out[0] = s[0]
            out += 1
            s += 1
            while s < end and s[0] & 0xC0 == 0x80:
                out[0] = s[0]
                out += 1
                s += 1
    text.length = out - buffer.start
    return 0


cdef inline size_t trimmed(Text* text) noexcept:
    """Give where the text ends in the buffer, without a space at its end."""
    return text.length - (text.length > 1 and buffer.start[text.length - 1] == SPACE) if text.length else 1


cdef str finished(Text* text):
    result = buffer.decoded(1, trimmed(text) - 1, text.is_ascii)
    return result if text.is_composed else normalize("NFC", result)


cdef int refuse_entity(xmlNode* node) except -1:
    if node.type == XML_ENTITY_REF_NODE:
        raise ValueError("an entity stands in the tree")
    return 0


cdef str text_below(xmlNode* top):
    cdef Text text = Text(0, True, True)
    cdef xmlNode* node = down(top)
    if node == NULL:
        return ""
    while node != top:
        if is_text(node):
            append(&text, node.content)
        elif down(node) != NULL:
            node = node.children
            continue
        else:
            refuse_entity(node)
        node = onward(node, top)
    return finished(&text)


def text_of(_Element element) -> str:
    return text_below(node_of(element))


def text_or_none(_Element element):
    return text_below(node_of(element)) or None if element is not None else None


def paragraph_text_of(_Element paragraph) -> str:
    return text_below(node_of(paragraph))


def running_texts(list blocks not None, dict known not None) -> list:
    cdef list rows = []
    for paragraph, place in blocks:
        if place.location == "body" and place.host is None and not place.is_aside:
            text = known.get(paragraph)
            if text is None:
                text = text_below(node_of(paragraph))
            if text:
                rows.append({"section_path": place.section_path(), "text": text})
    return rows


def cited_ids(list pub_ids not None, dict lists not None, bint is_alone) -> tuple:
    cdef list pmids = [], dois = []
    cdef str text
    for is_pmid, stated, ref_list, is_cited in pub_ids:
        if ref_list in lists or (is_alone and is_cited):
            text = stated if isinstance(stated, str) else text_below(node_of(stated))
            if not is_pmid:
                dois.append(text)
            else:
                text = text.rstrip(".")
                if text.isdecimal() and len(text) < 19 and (pmid := int(text)):
                    pmids.append(pmid)
    return pmids, dois


cdef inline bint is_layout(unsigned char c) noexcept:
    return c == 0x20 or c == 0x09 or c == 0x0A or c == 0x0D


def math_text(_Element math) -> str:
    cdef xmlNode* top = node_of(math)
    cdef xmlNode* node = down(top)
    cdef size_t length = 0, begin = 0, size
    cdef const unsigned char* s
    if node == NULL:
        return ""
    while node != top:
        if is_text(node):
            if node.prev == NULL or not is_text(node.prev):
                begin = length
            s = node.content
            while length == begin and is_layout(s[0]):
                s += 1
            size = strlen(<const char*>s)
            buffer.reserve(length + size)
            memcpy(buffer.start + length, s, size)
            length += size
            if node.next == NULL or not is_text(node.next):
                while length > begin and is_layout(buffer.start[length - 1]):
                    length -= 1
        elif down(node) != NULL:
            node = node.children
            continue
        else:
            refuse_entity(node)
        node = onward(node, top)
    return buffer.decoded(0, length)


cdef struct Span:
    xmlNode* node
    size_t start
    size_t end
    size_t first_character
    size_t last_character
    Py_ssize_t around


def located_text(_Element paragraph, list pointers not None):
    cdef xmlNode* top = node_of(paragraph)
    cdef Py_ssize_t count = len(pointers), place
    cdef Span* spans = <Span*>realloc(NULL, (count + 1) * sizeof(Span))
    cdef Pointer pointer
    if spans == NULL:
        raise MemoryError
    try:
        for place in range(count):
            pointer = pointers[place]
            spans[place].node = node_of(pointer.xref)
        text = spanned(top, spans, count)
        if text is not None:
            for place in range(count):
                pointer = pointers[place]
                pointer.start, pointer.end = spans[place].first_character, spans[place].last_character
        return text
    finally:
        free(spans)


cdef str spanned(xmlNode* top, Span* spans, Py_ssize_t count):
    """Read the text below a node and fill in the spans; None if a node is not met in its turn or NFC may move one."""
    cdef Text text = Text(0, True, True)
    cdef xmlNode* node = down(top)
    cdef Py_ssize_t following = 0, opened = -1, place
    cdef size_t counted = 1, characters = 0
    cdef Span* span
    if node == NULL:
        return None
    while node != top:
        if is_text(node):
            append(&text, node.content)
        else:
            refuse_entity(node)
            if following < count and node == spans[following].node:
                span = &spans[following]
                count_characters(text.length, &counted, &characters)
                span.start, span.first_character, span.around = counted, characters, opened
                opened = following
                following += 1
            if down(node) != NULL:
                node = node.children
                continue
        while node != top:
            if opened >= 0 and node == spans[opened].node:
                span = &spans[opened]
                count_characters(text.length, &counted, &characters)
                span.end, span.last_character = counted, characters
                opened = span.around
            if node.next != NULL:
                node = node.next
                break
            node = node.parent
    if following < count or not text.is_composed:
        return None
    for place in range(count):
        trim_span(&spans[place], trimmed(&text))
    return finished(&text)


cdef void count_characters(size_t length, size_t* counted, size_t* characters) noexcept:
    """Go to the end of the buffer, counting the characters on the way."""
    while counted[0] < length:
        characters[0] += buffer.start[counted[0]] & 0xC0 != 0x80
        counted[0] += 1


cdef void trim_span(Span* span, size_t end) noexcept:
    """Take the spaces at both ends, and what is beyond the end of the text, from a span."""
    if span.end > end:
        span.last_character -= span.end - end
        span.end = end
    if span.start > span.end:
        span.start, span.first_character = span.end, span.last_character
    while span.start < span.end and buffer.start[span.start] == SPACE:
        span.start += 1
        span.first_character += 1
    while span.start < span.end and buffer.start[span.end - 1] == SPACE:
        span.end -= 1
        span.last_character -= 1


def may_be_in_range(Pointer pointer not None, Pointer following, str text not None) -> bool:
    cdef Py_ssize_t place, reach = pointer.end + 2
    if following is not None and reach < following.start <= pointer.end + 14:
        reach = following.start
    for place in range(pointer.start, min(reach, len(text))):
        if text[place] in "-‐‑‒–—−~t":
            return True
    return False


cdef inline bint is_marklike(str text, Py_ssize_t begin):
    if begin < 0 or begin > len(text) - 2:
        return False
    return text[begin] in "([" or (text[begin].isalpha() and not text[begin + 1].isalpha())


def bold_and_lists(list elements not None) -> tuple:
    cdef list bold = [], lists = []
    cdef xmlNode* top
    cdef xmlNode* node
    cdef _Element element
    for element in elements:
        top = node_of(element)
        node = down(top)
        while node != NULL and node != top:
            if has_name(node, b"bold"):
                bold.append(text_below(node))
            elif has_name(node, b"list"):
                lists.append(elementFactory(element._doc, node))
            node = node.children if down(node) != NULL else onward(node, top)
    return bold, lists


def part_starts(str text not None, list starts) -> tuple:
    cdef Py_ssize_t place, begin, length = len(text)
    cdef list places = [start for start in starts if is_marklike(text, start)], bracketed = [], lettered = []
    cdef bint has_first_bracketed = False, has_first_lettered = False
    cdef int kind = PyUnicode_KIND(text)
    cdef void* characters = PyUnicode_DATA(text)
    for place in range(length):
        if PyUnicode_READ(kind, characters, place) not in ".;:?!":
            continue
        begin = place + 2 if place + 1 < length and text[place + 1] == " " else place + 3
        if begin > length or text[begin - 1] != " ":
            continue
        if text[begin - 2] in ".;:?!)]\"\N{RIGHT DOUBLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}'":
            if text.startswith("and ", begin):
                begin += 4
            if is_marklike(text, begin):
                places.append(begin)
    places.sort()
    for begin in places:
        if text[begin] in "([":
            bracketed.append(begin)
            has_first_bracketed |= text[begin + 1] in "Aa"
        else:
            lettered.append(begin)
            has_first_lettered |= text[begin] in "Aa"
    return bracketed if has_first_bracketed else [], lettered if has_first_lettered else []
