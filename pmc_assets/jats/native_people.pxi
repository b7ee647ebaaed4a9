# Authors and affiliations: of `people.py`.

cdef const char* OTHER_NAMES = b"string-name collab collab-alternatives name-alternatives anonymous collab-name "


cdef str raw_text(xmlNode* top):
    """Join all text below a node as it stands."""
    cdef xmlNode* node = down(top)
    cdef size_t length = 0, size
    if node == NULL:
        return ""
    while node != top:
        if is_text(node):
            size = strlen(<const char*>node.content)
            buffer.reserve(length + size)
            memcpy(buffer.start + length, node.content, size)
            length += size
        elif down(node) != NULL:
            node = node.children
            continue
        else:
            refuse_entity(node)
        node = onward(node, top)
    return buffer.decoded(0, length)


def _author(_Element contrib, read_name, read_orcid) -> tuple:
    cdef xmlNode* node = node_of(contrib).children
    cdef xmlNode* aff
    cdef list rids = [], inner = []
    surname = given_names = orcid = None
    while node != NULL:
        if node.type == XML_ELEMENT_NODE and node.ns == NULL:
            if has_name(node, b"xref"):
                if attribute_of(node, NULL, b"ref-type") in (None, "aff"):
                    rids += (attribute_of(node, NULL, b"rid") or "").split()
            elif has_name(node, b"aff"):
                inner.append(elementFactory(contrib._doc, node))
            elif has_name(node, b"aff-alternatives"):
                aff = first_named(node, b"aff")
                if aff != NULL:
                    inner.append(elementFactory(contrib._doc, aff))
            elif is_one_of(node, b"contrib-id uri ext-link "):
                orcid = orcid or read_orcid(elementFactory(contrib._doc, node))
            elif surname is None and given_names is None:
                if has_name(node, b"name"):
                    surname, given_names = name_parts(node)
                elif is_one_of(node, OTHER_NAMES):
                    surname, given_names = read_name(elementFactory(contrib._doc, node))
        node = node.next
    return {"surname": surname, "given_names": given_names, "orcid": orcid}, rids, inner


cdef tuple name_parts(xmlNode* name):
    cdef xmlNode* node = name.children
    surname = given_names = suffix = None
    while node != NULL:
        if has_name(node, b"surname"):
            surname = text_below(node)
        elif has_name(node, b"given-names"):
            given_names = text_below(node)
        elif has_name(node, b"suffix"):
            suffix = text_below(node)
        node = node.next
    if surname is None and given_names is None:
        return text_below(name) or None, None
    if surname and suffix:
        surname = f"{surname} {suffix}"
    return surname or None, given_names or None


def _printed(_Element element) -> str:
    return printed(node_of(element))


cdef str printed(xmlNode* element):
    """Recurse, other than all else here: as deep as one of two elements is inside of its like."""
    cdef str before = textOf(element) or "", text = before, tail, own
    cdef xmlNode* node = element.children
    cdef bint is_first = True
    while node != NULL:
        if node.type == XML_ELEMENT_NODE:
            tail = tailOf(node) or ""
            if not (
                is_one_of(node, b"label institution-id xref ")
                or (is_first and is_mark(node) and not before.strip())
            ):
                if is_one_of(node, b"institution-wrap addr-line ") and not is_leaf(node):
                    own = printed(node)
                else:
                    own = raw_text(node)
                if not is_one_of(node, b"italic bold sup sub sc styled-content break "):
                    if own.strip() and not before.strip():
                        text = divided(text)
                    if own and tail and own[len(own) - 1].isalnum() and tail[0].isalnum():
                        own += ", "
                text += own
            text += tail
            before = tail
            is_first = False
        node = node.next
    return text


cdef bint is_mark(xmlNode* node):
    return is_one_of(node, b"sup bold ") and len(text_below(node)) <= 3


cdef str divided(str text):
    text = text.rstrip()
    if not text:
        return text
    return text + (" " if text[len(text) - 1] in ",;:.(" else ", ")
