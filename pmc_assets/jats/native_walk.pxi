# One walk over an article: of `outline.py`.

# The role of a name: what is done with its elements, and above TAG_SHIFT its place in the list of what is collected.
cdef enum:
    COLLECTED = 1
    STEP = 2
    FLOAT = 4
    NAMED = 8
    XREF = 16
    PUB_ID = 32
    LINK = 64
    GRAPHIC = 128
    IS_TEXT = 256
    IS_ASIDE = 512
    IS_LOCATION = 1024
    IS_ARTICLE = 2048
    TAG_SHIFT = 12
    SLOTS = 512
    MAX_NAMES = 384


cdef const_xmlChar* plain_attribute(xmlNode* node, const char* name) noexcept:
    """Give the bytes of an attribute without namespace; NULL where there is none or it is not one piece of text."""
    cdef xmlAttr* attribute = node.properties
    while attribute != NULL:
        if attribute.ns == NULL and not strcmp(<const char*>attribute.name, name):
            if attribute.children == NULL or attribute.children.next != NULL:
                return NULL
            return attribute.children.content
        attribute = attribute.next
    return NULL


cdef str attribute_text(xmlNode* node, const char* name):
    cdef xmlAttr* attribute = node.properties
    while attribute != NULL:
        if attribute.ns == NULL and not strcmp(<const char*>attribute.name, name):
            return attributeValue(node, attribute)
        attribute = attribute.next
    return None


cdef bint is_tokenlike(const unsigned char* s) noexcept:
    """Tell whether a text is one ASCII word."""
    while SPACE < s[0] < 0x80:
        s += 1
    return s[0] == 0


cdef str language_of(xmlNode* node):
    cdef xmlAttr* attribute = node.properties
    while attribute != NULL:
        if (
            attribute.ns != NULL
            and not strcmp(<const char*>attribute.name, b"lang")
            and not strcmp(<const char*>attribute.ns.href, b"http://www.w3.org/XML/1998/namespace")
        ):
            return attributeValue(node, attribute) or None
        attribute = attribute.next
    return None


cdef bint is_leaf(xmlNode* node) noexcept:
    node = node.children
    while node != NULL:
        if not is_text(node):
            return False
        node = node.next
    return True


cdef xmlNode* list_above(xmlNode* node) noexcept:
    while node != NULL and not has_name(node, b"ref-list"):
        node = node.parent
    return node


cdef xmlNode* first_named(xmlNode* parent, const char* name) noexcept:
    cdef xmlNode* node = parent.children
    while node != NULL and not has_name(node, name):
        node = node.next
    return node


cdef bint has_caption(xmlNode* node) noexcept:
    return first_named(node, b"caption") != NULL or first_named(node, b"label") != NULL


cdef bint is_linked_reference(xmlNode* node) noexcept:
    """Tell whether a link stands in a list of references and may name a DOI."""
    cdef xmlAttr* attribute = node.properties
    while attribute != NULL:
        if attribute.ns != NULL and not strcmp(<const char*>attribute.name, b"href"):
            if attribute.children != NULL and (
                attribute.children.next != NULL or strstr(<const char*>attribute.children.content, b"10.") != NULL
            ):
                return list_above(node.parent) != NULL
        attribute = attribute.next
    return False


@trashcan(True)
cdef class Place:
    """Where an element stands: twin of `outline.Place`."""

    cdef readonly Place above
    cdef readonly object title, location, language, host, owner_article
    cdef readonly int depth
    cdef readonly bint is_aside
    cdef list path

    def section_path(self) -> list:
        cdef Place place = self
        cdef list unread = [], path = []
        while place is not None and place.path is None:
            unread.append(place)
            place = place.above
        if place is not None:
            path = place.path
        for place in reversed(unread):
            title = text_below(node_of(place.title)) if place.title is not None else ""
            path = place.path = [*path, title] if title else path
        return path


cdef class Walker:
    """Walks articles by what is known of their names: which are collected, and which change the place of what they hold."""

    cdef dict roles
    cdef dict locations
    cdef tuple tags
    cdef set qualified
    cdef int xref
    cdef int max_depth

    def __init__(self, *, collected, texts, asides, locations, articles, sections, floats, named, max_depth):
        self.tags = tuple(collected)
        self.xref = self.tags.index("xref")
        self.locations = locations
        self.max_depth = max_depth
        self.qualified = {tag.split("}")[1] for tag in collected if "}" in tag} | {"treatment-sec"}
        self.roles = {tag: place << TAG_SHIFT for place, tag in enumerate(self.tags)}
        for tags, role in (
            (set(collected) - {"xref", "pub-id"}, COLLECTED),
            (floats, FLOAT),
            (named, NAMED),
            (["xref"], XREF),
            (["pub-id"], PUB_ID),
            (["graphic"], GRAPHIC),
            (["ext-link", "uri"], LINK),
            (texts, STEP | IS_TEXT),
            (asides, STEP | IS_ASIDE),
            (locations, STEP | IS_LOCATION),
            (articles, STEP | IS_ARTICLE),
            (sections, STEP),
        ):
            for tag in tags:
                self.roles[tag] = self.roles.get(tag, 0) | role

    def walk(self, _Element article):
        """Give the attributes of an Outline; None where the document declares attributes, whose defaults no node holds."""
        cdef xmlDtd* declared = node_of(article).doc.intSubset
        if declared != NULL and declared.attributes != NULL:
            return None
        walk = Walk()
        walk.begin(self, article)
        walk.run(article._c_node)
        return {
            "elements": walk.elements,
            "found": dict(zip(self.tags, walk.found)),
            "paragraphs": walk.paragraphs,
            "_standing_of": walk.standing,
            "_places": {article: walk.places[0]},
            "pub_ids": walk.pub_ids,
            "is_linked": walk.is_linked,
            "has_entity": walk.has_entity,
        }


cdef struct Slot:
    const_xmlChar* name
    int role
    bint is_qualified


cdef struct Step:
    xmlNode* node
    int role
    Py_ssize_t place


cdef class Walk:
    """The walk over one article; roles are kept by the address of a name, which a document holds only once."""

    cdef Walker names
    cdef _Document document
    cdef Slot slots[SLOTS]
    cdef int known
    cdef Step* steps
    cdef Py_ssize_t depth, room
    cdef xmlNode** xrefs
    cdef size_t xref_count, xref_room
    cdef list places, elements, found, paragraphs, pub_ids
    cdef dict standing
    cdef set ids
    cdef bint is_linked, has_entity

    def __dealloc__(self):
        free(self.steps)
        free(self.xrefs)

    cdef int begin(self, Walker names, _Element article) except -1:
        cdef Place root = Place.__new__(Place)
        self.names = names
        root.language = language_of(node_of(article))
        root.owner_article = article
        self.document = article._doc
        self.places = [root]
        self.elements = []
        self.found = [[] for _ in names.tags]
        self.paragraphs = []
        self.pub_ids = []
        self.standing = {}
        self.ids = set()
        return 0

    cdef int run(self, xmlNode* top) except -1:
        cdef xmlNode* node = top
        cdef int role
        self.enter(top, 0)
        self.steps[0].place = 0
        while True:
            if node.type == XML_ELEMENT_NODE:
                role = self.role_of(node) if node != top else 0
                if role:
                    self.take(node, role)
                if node.children != NULL:
                    node = node.children
                    continue
            elif node.type == XML_ENTITY_REF_NODE:
                self.has_entity = True
            while node != top:
                self.leave(node)
                if node.next != NULL:
                    node = node.next
                    break
                node = node.parent
            if node == top:
                break
        return self.take_xrefs()

    cdef int role_of(self, xmlNode* node) except -1:
        cdef size_t place = (<uintptr_t>node.name >> 3) & (SLOTS - 1)
        cdef Slot* slot = &self.slots[place]
        while slot.name != node.name:
            if slot.name == NULL:
                if self.known == MAX_NAMES:
                    memset(self.slots, 0, sizeof(self.slots))
                    self.known = 0
                self.known += 1
                local = pyunicode(node.name)
                slot.name = node.name
                slot.role = self.names.roles.get(local, 0)
                slot.is_qualified = local in self.names.qualified
                break
            place = (place + 1) & (SLOTS - 1)
            slot = &self.slots[place]
        if not slot.role and not slot.is_qualified:
            return 0  # without a look at the namespace: it is on another line of the cache than the rest
        if node.ns == NULL:
            return slot.role
        if not slot.is_qualified:
            return 0
        tag = namespacedName(node)
        return STEP if tag.endswith("}treatment-sec") else self.names.roles.get(tag, 0)

    cdef int take(self, xmlNode* node, int role) except -1:
        if role & COLLECTED:
            element = elementFactory(self.document, node)
            self.elements.append(element)
            (<list>self.found[role >> TAG_SHIFT]).append(element)
            if role & NAMED:
                identifier = attribute_text(node, b"id")
                if identifier is not None:
                    self.ids.add(identifier)
            if role & IS_TEXT:
                self.paragraphs.append((element, self.place()))
            elif role & FLOAT and (not role & GRAPHIC or has_caption(node)):
                self.standing[element] = self.place()
        elif role & XREF:
            self.keep_xref(node)
        elif role & PUB_ID:
            self.take_pub_id(node)
        elif role & LINK and not self.is_linked:
            self.is_linked = is_linked_reference(node)
        if role & STEP:
            self.enter(node, role)
        return 0

    cdef int keep_xref(self, xmlNode* node) except -1:
        cdef size_t room = 2 * self.xref_room + 256
        cdef void* moved
        if self.xref_count == self.xref_room:
            moved = realloc(self.xrefs, room * sizeof(xmlNode*))
            if moved == NULL:
                raise MemoryError
            self.xrefs = <xmlNode**>moved
            self.xref_room = room
        self.xrefs[self.xref_count] = node
        self.xref_count += 1
        return 0

    cdef int take_xrefs(self) except -1:
        """Collect the pointers whose rid is the id of what may show a graphic, or more than one word."""
        cdef list found = self.found[self.names.xref]
        cdef const_xmlChar* rid
        cdef size_t place
        for place in range(self.xref_count):
            rid = plain_attribute(self.xrefs[place], b"rid")
            if rid == NULL or not is_tokenlike(rid) or pyunicode(rid) in self.ids:
                found.append(elementFactory(self.document, self.xrefs[place]))
        return 0

    cdef int take_pub_id(self, xmlNode* node) except -1:
        cdef xmlNode* above = node.parent
        cdef bint is_cited = has_name(above.parent, b"ref") and (
            has_name(above, b"element-citation")
            or has_name(above, b"mixed-citation")
            or has_name(above, b"citation")
            or has_name(above, b"nlm-citation")
        )
        cdef const char* id_type = <const char*>plain_attribute(node, b"pub-id-type")
        if id_type != NULL and (not strcmp(id_type, b"pmid") or not strcmp(id_type, b"doi")):
            above = list_above(above)
            stated = text_below(node) if is_leaf(node) else elementFactory(self.document, node)
            around = elementFactory(self.document, above) if above != NULL else None
            self.pub_ids.append((id_type[0] == c"p", stated, around, is_cited))
        return 0

    cdef int enter(self, xmlNode* node, int role) except -1:
        cdef Py_ssize_t room = 2 * self.room + 64
        cdef void* moved
        if self.depth == self.room:
            moved = realloc(self.steps, room * sizeof(Step))
            if moved == NULL:
                raise MemoryError
            self.steps = <Step*>moved
            self.room = room
        self.steps[self.depth] = Step(node, role, -1)
        self.depth += 1
        return 0

    cdef inline void leave(self, xmlNode* node) noexcept:
        if self.steps[self.depth - 1].node == node:
            self.depth -= 1

    cdef Place place(self):
        """Give the place that the innermost step makes; those of steps that hold nothing are never made."""
        cdef Py_ssize_t made = self.depth - 1
        while self.steps[made].place < 0:
            made -= 1
        while made < self.depth - 1:
            self.places.append(self.inside(&self.steps[made + 1], self.places[self.steps[made].place]))
            made += 1
            self.steps[made].place = len(self.places) - 1
        return self.places[self.steps[made].place]

    cdef Place inside(self, Step* step, Place above):
        cdef Place place = Place.__new__(Place)
        cdef xmlNode* node = step.node
        place.above = above
        place.depth = above.depth
        place.location = above.location
        place.language = language_of(node) or above.language
        place.host = above.host
        place.is_aside = above.is_aside
        place.owner_article = above.owner_article
        if step.role & IS_TEXT:
            if place.host is None:
                place.host = elementFactory(self.document, node)
        elif step.role & IS_ASIDE:
            place.is_aside = True
            place.host = None
        elif step.role & IS_LOCATION:
            if above.owner_article is (<Place>self.places[0]).owner_article:
                place.location = self.names.locations[pyunicode(node.name)]
        elif step.role & IS_ARTICLE:
            place.location = pyunicode(node.name)
            place.owner_article = elementFactory(self.document, node)
            place.above = None
            place.host = None
        else:
            if has_name(node, b"boxed-text"):
                place.host = None
            if place.depth < self.names.max_depth:
                place.depth += 1
                place.title = self.title_of(node)
        return place

    cdef title_of(self, xmlNode* section):
        cdef xmlNode* title = NULL
        cdef xmlNode* child = section.children
        while child != NULL:
            if child.type == XML_ELEMENT_NODE and child.ns == NULL:
                if has_name(child, b"title"):
                    title = child
                    break
                if has_name(child, b"caption"):
                    title = first_named(child, b"title")
                elif has_name(child, b"p") or has_name(child, b"sec"):
                    break
            child = child.next
        return elementFactory(self.document, title) if title != NULL else None


def _paragraph_of(_Element xref):
    cdef xmlNode* node = node_of(xref).parent
    while node != NULL and not has_name(node, b"p"):
        if is_one_of(node, b"td th fig table-wrap title label ref aff contrib sec body back front article "):
            return None
        node = node.parent
    return elementFactory(xref._doc, node) if node != NULL else None
