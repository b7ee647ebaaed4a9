# Elements by name: of `tree.py`.

cdef class Name:
    """A name as libxml2 holds it: the namespace, and what follows it."""

    cdef bytes parts
    cdef const char* local
    cdef const char* space

    def __cinit__(self, str tag):
        space, _, local = tag.rpartition("}")
        self.parts = local.encode() + b"\0" + space[1:].encode()
        self.local = self.parts
        self.space = self.local + len(local.encode()) + 1

    cdef bint fits(self, xmlNode* node) noexcept:
        if node.type != XML_ELEMENT_NODE or strcmp(<const char*>node.name, self.local):
            return False
        if node.ns == NULL:
            return self.space[0] == 0
        return self.space[0] != 0 and not strcmp(<const char*>node.ns.href, self.space)


cdef dict names = {}


cdef Name name_of(str tag):
    cdef Name name = names.get(tag)
    if name is None:
        name = names[tag] = Name(tag)
    return name


def child_of(_Element parent, str tag):
    cdef xmlNode* node = node_of(parent).children
    cdef Name name = name_of(tag)
    while node != NULL and not name.fits(node):
        node = node.next
    return elementFactory(parent._doc, node) if node != NULL else None


def children_of(_Element parent, str tag, str other=None) -> list:
    cdef xmlNode* node = node_of(parent).children
    cdef Name first = name_of(tag)
    cdef Name second = first if other is None else name_of(other)
    cdef list children = []
    while node != NULL:
        if first.fits(node) or (second is not first and second.fits(node)):
            children.append(elementFactory(parent._doc, node))
        node = node.next
    return children


def count_children(_Element parent, str tag) -> int:
    cdef xmlNode* node = node_of(parent).children
    cdef Name name = name_of(tag)
    cdef Py_ssize_t count = 0
    while node != NULL:
        count += name.fits(node)
        node = node.next
    return count


def children_by_name(_Element parent) -> dict:
    cdef xmlNode* node = node_of(parent).children if parent is not None else NULL
    cdef dict children = {}
    cdef list same
    while node != NULL:
        if node.type == XML_ELEMENT_NODE:
            tag = pyunicode(node.name) if node.ns == NULL else namespacedName(node)
            element = elementFactory(parent._doc, node)
            same = children.get(tag)
            if same is None:
                children[tag] = [element]
            else:
                same.append(element)
        node = node.next
    return children


def holds_only(_Element parent, frozenset tags not None) -> bool:
    cdef xmlNode* node = node_of(parent).children
    while node != NULL:
        if is_text(node):
            if not is_blank(node.content):
                return False
        elif node.type == XML_ELEMENT_NODE:
            if (pyunicode(node.name) if node.ns == NULL else namespacedName(node)) not in tags:
                return False
        else:
            return False
        node = node.next
    return True


def leaf_texts(_Element caption, frozenset names not None) -> list:
    cdef xmlNode* node
    cdef list texts = []
    if not holds_only(caption, names):
        return texts
    node = node_of(caption).children
    while node != NULL:
        if node.type == XML_ELEMENT_NODE:
            text = text_below(node)
            texts.append((
                has_name(node, b"title"),
                attribute_of(node, b"http://www.w3.org/XML/1998/namespace", b"lang"),
                [text] if text else [],
            ))
        node = node.next
    return texts


cdef bint is_blank(const unsigned char* s) noexcept:
    cdef int width
    while s[0]:
        width = s[0] <= SPACE if s[0] < 0x80 else space_bytes(s)
        if width == 0:
            return False
        s += width
    return True


def words_of(_Element parent, tuple tags not None) -> list:
    cdef xmlNode* node
    cdef Name name
    cdef list texts = []
    for tag in tags:
        name = name_of(tag)
        node = node_of(parent).last
        while node != NULL and not name.fits(node):
            node = node.prev
        texts.append((textOf(node) or "").strip() if node != NULL else None)
    return texts


def below(_Element element, str tag, str other=None) -> list:
    cdef xmlNode* top = node_of(element)
    cdef xmlNode* node = down(top)
    cdef Name first = name_of(tag)
    cdef Name second = first if other is None else name_of(other)
    cdef list found = []
    if node == NULL:
        return found
    while node != top:
        if first.fits(node) or (second is not first and second.fits(node)):
            found.append(elementFactory(element._doc, node))
        node = node.children if down(node) != NULL else onward(node, top)
    return found


cdef bint is_closing(str text):
    return bool(text) and text[0] in ".,;:)]?!"


cdef bint starts_with_mark(xmlNode* node):
    cdef xmlNode* inner
    text = textOf(node)
    while not text:
        inner = findChildForwards(node, 0)
        if inner == NULL:
            return False
        node = inner
        text = textOf(node)
    return is_closing(text)


cdef bint is_before_mark(xmlNode* node):
    tail = tailOf(node)
    while not tail:
        if nextElement(node) != NULL or node.parent == NULL or node.parent.type != XML_ELEMENT_NODE:
            return False
        node = node.parent
        tail = tailOf(node)
    return is_closing(tail)


def space_around(_Element element) -> None:
    cdef xmlNode* node = node_of(element)
    if not starts_with_mark(node):
        setNodeText(node, " " + (textOf(node) or ""))
    if not is_before_mark(node):
        setTailText(node, " " + (tailOf(node) or ""))


def href_of(_Element graphic):
    cdef xmlNode* node = node_of(graphic)
    href = attribute_of(node, b"http://www.w3.org/1999/xlink", b"href") or attribute_of(node, NULL, b"xlink:href")
    return href.strip() or None if href else None


def _formula_of(_Element element) -> _Element:
    cdef xmlNode* node = node_of(element).parent
    while node != NULL and is_one_of(node, b"bold italic styled-content named-content sup sub "):
        node = node.parent
    if node != NULL and is_one_of(node, b"alternatives inline-formula disp-formula "):
        return elementFactory(element._doc, node)
    return element
