# cython: language_level=3, boundscheck=False, wraparound=False
"""Twins, over libxml2's nodes, of the functions that cost most in reading an article; each gives what its namesake gives,
and those of `leaf_texts` and `located_text`, which give nothing in Python, what their callers read without them.

Optional: see `compiled.py`. Nothing here recurses, so that a deep tree costs no stack, but `printed`: parts of an address
in each other, as deep as the parser lets a tree be. The buffer is one for all calls: between filling and reading it no
Python object is made, since making one may run other Python code.
"""

from cython cimport trashcan
from cpython.unicode cimport PyUnicode_DATA, PyUnicode_DecodeUTF8, PyUnicode_KIND, PyUnicode_New, PyUnicode_READ
from libc.stdint cimport uint64_t, uintptr_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memset, strchr, strcmp, strlen, strncmp, strstr
from lxml.includes.etreepublic cimport (
    LXML_VERSION_STRING, _Document, _Element, attributeValue, attributeValueFromNsName, elementFactory, import_lxml__etree, findChildForwards, namespacedName, nextElement,
    pyunicode, setNodeText, setTailText, tailOf, textOf,
)
from lxml.includes.tree cimport (
    XML_CDATA_SECTION_NODE, XML_ELEMENT_NODE, XML_ENTITY_REF_NODE, XML_TEXT_NODE, const_xmlChar, xmlAttr, xmlDtd, xmlNode,
)

from unicodedata import normalize

from lxml import etree

cdef extern from "libxml/xmlversion.h":
    const char* LIBXML_DOTTED_VERSION


def _require_same_lxml():
    """Refuse to be imported beside another lxml than the headers' one: its structs may differ."""
    compiled = LXML_VERSION_STRING.decode(), LIBXML_DOTTED_VERSION.decode()
    running = etree.__version__, ".".join(map(str, etree.LIBXML_VERSION))
    if compiled != running:
        raise ImportError(f"compiled for lxml and libxml2 {compiled}, running beside {running}")


_require_same_lxml()
import_lxml__etree()


cdef xmlNode* node_of(_Element element) except NULL:
    if element is None or element._c_node == NULL:
        raise TypeError("an element is needed")
    return element._c_node


cdef inline bint is_text(xmlNode* node) noexcept:
    return node.type == XML_TEXT_NODE or node.type == XML_CDATA_SECTION_NODE


cdef inline xmlNode* down(xmlNode* node) noexcept:
    """Give the first node inside of an element, NULL for another node: the children of an entity are its declaration."""
    return node.children if node.type == XML_ELEMENT_NODE else NULL


cdef inline xmlNode* onward(xmlNode* node, xmlNode* top) noexcept:
    """Give the node that follows all that is inside of a node; `top` at the end."""
    while node != top and node.next == NULL:
        node = node.parent
    return node if node == top else node.next


cdef str attribute_of(xmlNode* node, const char* space, const char* name):
    """Give an attribute as lxml does: also one that only the document's DTD states."""
    return attributeValueFromNsName(node, <const_xmlChar*>space, <const_xmlChar*>name)


cdef inline bint has_name(xmlNode* node, const char* name) noexcept:
    return (
        node != NULL and node.type == XML_ELEMENT_NODE and node.ns == NULL and not strcmp(<const char*>node.name, name)
    )


cdef bint is_one_of(xmlNode* node, const char* names) noexcept:
    """Tell whether an element has one of the names, after each of which stands a space."""
    cdef const char* end
    cdef size_t size
    if node.type != XML_ELEMENT_NODE or node.ns != NULL:
        return False
    size = strlen(<const char*>node.name)
    while names[0]:
        end = strchr(names, c" ")
        if <size_t>(end - names) == size and not strncmp(names, <const char*>node.name, size):
            return True
        names = end + 1
    return False


include "native_records.pxi"
include "native_text.pxi"
include "native_tree.pxi"
include "native_walk.pxi"
include "native_people.pxi"
