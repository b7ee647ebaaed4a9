"""Compile the optional twins of `pmc_assets.jats`; where that fails, the package is whole without them."""

from setuptools import Extension, setup

try:
    import lxml
    from Cython.Build import cythonize
except ImportError:
    extensions = []
else:
    native = Extension(
        "pmc_assets.jats.native",
        ["pmc_assets/jats/native.pyx"],
        depends=[f"pmc_assets/jats/native_{part}.pxi" for part in ("records", "text", "tree", "walk", "people")],
        include_dirs=lxml.get_include(),
        extra_compile_args=["-O1", "-g0"],  # a third of the time of -O3 -g, and the reader is as fast
    )
    extensions = cythonize([native], build_dir="build")
    for extension in extensions:
        extension.optional = True  # cythonize drops it

setup(ext_modules=extensions)
