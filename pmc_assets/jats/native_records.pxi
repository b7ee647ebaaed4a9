# Records that are made often: of `graphics.py`, `pointers.py` and `subcaptions.py`.

cdef class Showing:
    cdef public _Element element
    cdef public str kind
    cdef public list graphics, elements

    def __init__(self, element, kind, graphics, elements):
        self.element, self.kind, self.graphics, self.elements = element, kind, graphics, elements


cdef class Pointer:
    cdef public _Element xref
    cdef public list targets
    cdef public Py_ssize_t start, end

    def __init__(self, xref, targets):
        self.xref, self.targets = xref, targets


cdef class _Mark:
    cdef public Py_ssize_t start, end, first, last
    cdef public str letters

    def __init__(self, start, end, letters, first, last):
        self.start, self.end, self.letters, self.first, self.last = start, end, letters, first, last
